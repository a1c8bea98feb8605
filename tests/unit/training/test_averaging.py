"""Averages of weights against sequences worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from smallvision.augment import build_normalizer
from smallvision.optim import Schedule
from smallvision.training import AVERAGES, Average, Evaluator
from tests.support.models import FP32


def make_evaluator() -> Evaluator:
    """One that has images to recalibrate batch norm with."""
    images = torch.randint(0, 256, (6, 2, 1, 1), dtype=torch.uint8)
    labels = torch.zeros(6, dtype=torch.int64)
    return Evaluator((images, labels), None, build_normalizer([0.5], [0.5], "cpu"), FP32)


def value(average: Average) -> float:
    assert average.network is not None
    return average.network.weight.item()


def scalar() -> nn.Linear:
    return nn.Linear(1, 1, bias=False).double()


def put(model: nn.Linear, number: float) -> None:
    with torch.no_grad():
        model.weight.fill_(number)


def test_ema_by_hand() -> None:
    model, schedule = scalar(), Schedule(lambda _: 1.0, (2, 5))
    average = AVERAGES["ema"](model, schedule, 2, decay=0.15)
    expected = [
        1.0,  # the first update of a cycle is taken over as it is
        0.1 * 1 + 0.9 * 2,
        0.15 * 1.9 + 0.85 * 4,  # 2/11 would keep more than the decay
        7.0,  # a new cycle
        0.1 * 7 + 0.9 * 5,
    ]
    for step, (weight, wanted) in enumerate(zip((1, 2, 4, 7, 5), expected, strict=True)):
        put(model, weight)
        average.follow_step(step)
        assert value(average) == pytest.approx(wanted, abs=1e-12)
        assert model.weight.item() == weight


def test_ema_averages_running_statistics_too() -> None:
    model = nn.BatchNorm1d(2)
    average = AVERAGES["ema"](model, Schedule(lambda _: 1.0, (9,)), 1)
    for step, mean in enumerate((1.0, 2.0)):
        model.running_mean.fill_(mean)
        average.follow_step(step)
    assert average.network is not None
    assert average.network.running_mean.tolist() == pytest.approx([1.9, 1.9])


def test_swa_is_the_mean_from_its_start_on() -> None:
    model = scalar()
    average = AVERAGES["swa"](model, Schedule(lambda _: 1.0, (7,)), 8, start=0.75)
    seen = []
    for epoch in range(1, 9):
        put(model, epoch**2)
        average.follow_epoch(epoch, make_evaluator())
        seen.append(None if average.network is None else value(average))
    assert seen[:5] == [None] * 5
    assert seen[5:] == pytest.approx([36, (36 + 49) / 2, (36 + 49 + 64) / 3], abs=1e-12)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_swa_starts_with_the_first_epoch_at_the_earliest(start: float) -> None:
    average = AVERAGES["swa"](scalar(), Schedule(lambda _: 1.0, (3,)), 4, start=start)
    average.follow_epoch(1, make_evaluator())
    assert (average.network is None) is bool(start)
    average.follow_epoch(4, make_evaluator())
    assert average.network is not None
