"""Optimisers and per-step schedules."""

from smallvision.optim.catalog import OPTIMIZERS, SCHEDULES
from smallvision.optim.schedule import Schedule

__all__ = ["OPTIMIZERS", "SCHEDULES", "Schedule"]
