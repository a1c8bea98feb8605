"""Optimisers and per-step schedules."""

from smallvision.optim.catalog import OPTIMIZERS, SCHEDULES
from smallvision.optim.groups import slow_down
from smallvision.optim.norms import find_norms
from smallvision.optim.schedule import Schedule

__all__ = ["OPTIMIZERS", "SCHEDULES", "Schedule", "find_norms", "slow_down"]
