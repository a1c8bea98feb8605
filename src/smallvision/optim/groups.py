"""Parameter groups with and without weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def group_parameters(
    model: nn.Module, *, weight_decay: float, decay_norms_and_biases: bool
) -> list[dict[str, Any]]:
    """Split a model's parameters into those with weight decay and those without.

    A vector is a bias or the scale or shift of a norm. Decaying it does not reduce overfitting,
    so it can be left out (Goyal et al., arXiv 1706.02677, section 5.3).
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim > 1]
    vectors = [p for p in trained if p.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": weight_decay if decay_norms_and_biases else 0.0},
    ]


def slow_down(
    optimizer: torch.optim.Optimizer, parameters: Sequence[nn.Parameter], share: float
) -> None:
    """Multiply the learning rate of some parameters of a new optimiser.

    Groups keep their order, which Muon relies on; parameters that keep their rate leave a group
    that is slowed down for one of their own, at the end.
    """
    slow = set(map(id, parameters))
    for group in list(optimizer.param_groups):
        others = [p for p in group["params"] if id(p) not in slow]
        if len(others) == len(group["params"]):
            continue
        if others:
            group["params"] = [p for p in group["params"] if id(p) in slow]
            optimizer.add_param_group({**group, "params": others})
        group["lr"] *= share
