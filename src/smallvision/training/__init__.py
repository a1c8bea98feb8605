"""Learning: one loop, its state, and the watchers that see it."""

from smallvision.training.averaging import AVERAGES, Average
from smallvision.training.callbacks import EpochRecord, Plan, PrunedError, Watcher
from smallvision.training.evaluator import Examiner
from smallvision.training.interruption import Interruption
from smallvision.training.loop import fit
from smallvision.training.nonfinite import DivergedError
from smallvision.training.patience import Patience
from smallvision.training.recorder import (
    Recorder,
    load_snapshot,
    reopen_checkpoint,
    restore_newest,
)
from smallvision.training.state import State

__all__ = [
    "AVERAGES",
    "Average",
    "DivergedError",
    "EpochRecord",
    "Examiner",
    "Interruption",
    "Patience",
    "Plan",
    "PrunedError",
    "Recorder",
    "State",
    "Watcher",
    "fit",
    "load_snapshot",
    "reopen_checkpoint",
    "restore_newest",
]
