"""Training: one loop, its state, and the callbacks that observe it."""

from smallvision.training.averaging import AVERAGES, Average
from smallvision.training.callbacks import Callback, Callbacks, PrunedError, TrainingPlan
from smallvision.training.checkpoints import load_snapshot, reopen_checkpoint, restore_newest
from smallvision.training.evaluator import Evaluator
from smallvision.training.interruption import Interruption
from smallvision.training.loop import LoopSettings, fit
from smallvision.training.nonfinite import DivergedError
from smallvision.training.patience import Patience
from smallvision.training.recorder import Recorder
from smallvision.training.state import State

__all__ = [
    "AVERAGES",
    "Average",
    "Callback",
    "Callbacks",
    "DivergedError",
    "Evaluator",
    "Interruption",
    "LoopSettings",
    "Patience",
    "PrunedError",
    "Recorder",
    "State",
    "TrainingPlan",
    "fit",
    "load_snapshot",
    "reopen_checkpoint",
    "restore_newest",
]
