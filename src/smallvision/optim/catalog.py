"""Every optimiser and schedule by name; `recipes.settings.optimization` has settings and cards."""

from __future__ import annotations

from collections.abc import Callable

import torch

from smallvision.optim.muon import muon
from smallvision.optim.sam import sam
from smallvision.optim.schedule import Schedule, cosine, linear, one_cycle, sgdr
from smallvision.optim.sgd import sgd

# Builders `(epochs, steps_per_epoch, **settings) -> Schedule`.
SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "sgdr": sgdr,
    "cosine": cosine,
    "linear": linear,
    "one_cycle": one_cycle,
}

# Builders `(model, **settings) -> Optimizer`.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": sgd,
    "sam": sam,
    "muon": muon,
}
