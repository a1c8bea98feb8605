"""Statistics: arrays in, numbers out; neither torch nor disk."""

from smallvision.stats.intervals import wilson_interval
from smallvision.stats.paired import PairedComparison, compare_paired
from smallvision.stats.rates import find_correct, log_loss, rate_accuracy

__all__ = [
    "PairedComparison",
    "compare_paired",
    "find_correct",
    "log_loss",
    "rate_accuracy",
    "wilson_interval",
]
