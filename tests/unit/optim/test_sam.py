"""SAM and ASAM against steps worked out by hand."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from smallvision.optim import OPTIMIZERS


class Bowl(nn.Module):
    """Half of w0² + 2 w1² + 3 b², whose gradient is (w0, 2 w1, 3 b)."""

    def __init__(self, weight: list[float], bias: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))
        self.bias = nn.Parameter(torch.tensor([bias], dtype=torch.float64))

    def forward(self) -> Tensor:
        curvature = torch.tensor([1.0, 2.0], dtype=torch.float64)
        return (curvature * self.weight**2).sum() / 2 + 3 * (self.bias**2).sum() / 2

    def values(self) -> list[float]:
        return [*self.weight.tolist(), *self.bias.tolist()]


def evaluate(
    optimizer: torch.optim.Optimizer, loss_of: Callable[[], Tensor]
) -> Callable[[], float]:
    def closure() -> float:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss.detach()

    return closure


def test_sam_takes_the_gradient_uphill() -> None:
    bowl = Bowl([3.0, 2.0], 0.0)  # gradient (3, 4, 0), of length 5
    optimizer = OPTIMIZERS["sam"](bowl, lr=0.1, momentum=0, weight_decay=0, rho=0.5)
    loss = optimizer.step(evaluate(optimizer, bowl))
    assert float(loss) == (9 + 2 * 4) / 2
    # The climb is (0.3, 0.4), so the gradient there is (3.3, 4.8).
    assert bowl.values() == pytest.approx([3 - 0.33, 2 - 0.48, 0], abs=1e-10)


def test_momentum_gathers_the_gradients_found_uphill() -> None:
    bowl = Bowl([3.0, 0.0], 0.0)  # along one axis the climb is rho itself
    settings = {"lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0, "rho": 0.5}
    optimizer = OPTIMIZERS["sam"](bowl, **settings)
    for _ in range(2):
        optimizer.step(evaluate(optimizer, bowl))
    first = 3 + 0.5
    second = 0.9 * first + (3 - 0.1 * first + 0.5)
    assert bowl.values()[0] == pytest.approx(3 - 0.1 * first - 0.1 * second, abs=1e-10)


def test_weight_decay_is_no_part_of_the_climb() -> None:
    bowl = Bowl([3.0, 2.0], 0.0)
    settings = {"lr": 0.1, "momentum": 0, "rho": 0.5}
    optimizer = OPTIMIZERS["sam"](bowl, **settings, weight_decay=0.2)
    optimizer.step(evaluate(optimizer, bowl))
    expected = [3 - 0.33 - 0.1 * 0.2 * 3, 2 - 0.48 - 0.1 * 0.2 * 2, 0]
    assert bowl.values() == pytest.approx(expected, abs=1e-10)


def test_asam_climbs_in_proportion_to_the_weights_but_not_the_biases() -> None:
    bowl = Bowl([3.0, -2.0], 1.0)
    optimizer = OPTIMIZERS["sam"](bowl, lr=0.1, momentum=0, weight_decay=0, rho=0.5, adaptive=True)
    optimizer.step(evaluate(optimizer, bowl))
    slope, scale = (3, -4, 3), (3.01, 2.01, 1)
    length = math.sqrt(sum((t * g) ** 2 for t, g in zip(scale, slope, strict=True)))
    climb = [0.5 * t * t * g / length for t, g in zip(scale, slope, strict=True)]
    expected = [w - 0.1 * a * (w + e) for w, a, e in zip((3, -2, 1), (1, 2, 3), climb, strict=True)]
    assert bowl.values() == pytest.approx(expected, abs=1e-10)


def test_batch_norm_remembers_the_unperturbed_pass_alone() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    once = copy.deepcopy(model)
    x = torch.randn(8, 3)
    optimizer = OPTIMIZERS["sam"](model, rho=5.0)
    optimizer.step(evaluate(optimizer, lambda: model(x).square().mean()))
    once(x)
    norms = model[1], once[1]
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        assert torch.equal(getattr(norms[0], name), getattr(norms[1], name))
    assert norms[0].track_running_stats
