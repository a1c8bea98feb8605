"""Averages of weights against sequences worked out by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from smallvision.compute.machine import Machine
from smallvision.optim import Schedule
from smallvision.training import AVERAGES, Average, Examiner

CPU = Machine(device="cpu", precision="fp32", compiled=False, threads=1)


class Identity(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.float()


def make_examiner(num_train: int = 6) -> Examiner:
    images = torch.randint(0, 256, (num_train, 2, 1, 1), dtype=torch.uint8)
    return Examiner((images, torch.zeros(num_train, dtype=torch.int64)), None, Identity(), CPU)


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
        average.follow_epoch(epoch, make_examiner())
        seen.append(None if average.network is None else value(average))
    assert seen[:5] == [None] * 5
    assert seen[5:] == pytest.approx([36, (36 + 49) / 2, (36 + 49 + 64) / 3], abs=1e-12)


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_swa_starts_with_the_first_epoch_at_the_earliest(start: float) -> None:
    average = AVERAGES["swa"](scalar(), Schedule(lambda _: 1.0, (3,)), 4, start=start)
    average.follow_epoch(1, make_examiner())
    assert (average.network is None) is bool(start)
    average.follow_epoch(4, make_examiner())
    assert average.network is not None


def test_refreshed_norms_hold_the_statistics_of_the_clean_images() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.BatchNorm1d(2))
    examiner = make_examiner(40)
    model(examiner.train[0].float() * 3)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    examiner.refresh_norms(model)
    pixels = examiner.train[0].flatten(1).double()
    norm = model[2]
    assert norm.running_mean.tolist() == pytest.approx(pixels.mean(dim=0).tolist())
    assert norm.running_var.tolist() == pytest.approx(pixels.var(dim=0).tolist())
    assert norm.momentum == 0.1
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_of_refreshed_norms_count_alike_and_never_hold_one_image() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2))
    examiner = make_examiner(513)
    examiner.refresh_norms(model)
    mean = examiner.train[0].flatten(1).double().mean(dim=0)
    assert model[1].running_mean.tolist() == pytest.approx(mean.tolist(), rel=2e-3)
    assert int(model[1].num_batches_tracked) == 2
