"""Learning: one loop, its state, and the watchers that see it."""

from smallvision.training.loop import DivergedError, Examiner, fit
from smallvision.training.patience import Patience
from smallvision.training.recorder import Recorder, restore_newest
from smallvision.training.state import State
from smallvision.training.watch import EpochRecord, Plan, PrunedError, Watcher

__all__ = [
    "DivergedError",
    "EpochRecord",
    "Examiner",
    "Patience",
    "Plan",
    "PrunedError",
    "Recorder",
    "State",
    "Watcher",
    "fit",
    "restore_newest",
]
