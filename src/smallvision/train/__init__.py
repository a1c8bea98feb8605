"""Learning: one loop, its state, and the watchers that see it."""

from smallvision.train.loop import DivergedError, Examiner, fit
from smallvision.train.patience import Patience
from smallvision.train.recorder import Recorder, restore_newest
from smallvision.train.state import State
from smallvision.train.watch import EpochRecord, Plan, Watcher

__all__ = [
    "DivergedError",
    "EpochRecord",
    "Examiner",
    "Patience",
    "Plan",
    "Recorder",
    "State",
    "Watcher",
    "fit",
    "restore_newest",
]
