"""Groups of parameters with rates of their own."""

from __future__ import annotations

import torch
from torch import nn

from smallvision.optim import OPTIMIZERS, slow_down


def find_rates(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, float]:
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    return {name: rates[id(p)] for name, p in model.named_parameters()}


def test_some_parameters_are_slowed_down_and_the_order_of_groups_is_kept() -> None:
    for build in OPTIMIZERS.values():
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
        optimizer = build(model)
        before, first = find_rates(optimizer, model), optimizer.param_groups[0]["params"][0]
        slow_down(optimizer, list(model[:2].parameters()), 0.5)
        after = find_rates(optimizer, model)
        assert after == {
            name: rate if name.startswith("2") else rate / 2 for name, rate in before.items()
        }
        assert optimizer.param_groups[0]["params"][0] is first  # where Muon has its filters
        assert sum(len(group["params"]) for group in optimizer.param_groups) == len(after)
