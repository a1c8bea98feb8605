"""Gradients in parts: what dropout and batch norm make of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from smallvision.compute.ranks import Ranks
from smallvision.training.gradients import (
    OwnGradients,
    PartMaker,
    SharedGradients,
    Statistics,
    flatten,
    unflatten,
)
from tests.support.models import FP32
from tests.unit.training.test_loop import build_small, make_batches


class Alone(Ranks):
    """A single process that goes through what several exchange."""

    def send(self, tensor: Tensor) -> Tensor:
        return tensor

    def gather(self, tensor: Tensor, to: int = 0) -> list[Tensor]:
        return [tensor.clone()] if to == self.rank else []


def list_state(model: nn.Module) -> list[Tensor]:
    return [*(one.grad for one in model.parameters() if one.grad is not None), *model.buffers()]


@pytest.mark.parametrize("micro_batch", [0, 5, 8])
def test_what_is_exchanged_has_the_bits_of_one_process(micro_batch: int) -> None:
    batch = next(make_batches(micro_batch=micro_batch).epoch(1))
    own, shared = build_small(), build_small()
    losses = [
        OwnGradients.of(own, FP32)(batch, 7),
        SharedGradients(PartMaker(shared, shared, FP32), Alone(0, 1, 0))(batch, 7),
    ]
    assert torch.equal(*losses)
    for one, other in zip(list_state(own), list_state(shared), strict=True):
        assert torch.equal(one, other)


def test_running_statistics_follow_parts_as_they_follow_batches() -> None:
    plain, traced = nn.BatchNorm1d(3, momentum=0.3), nn.BatchNorm1d(3, momentum=0.3)
    statistics = Statistics(traced)
    torch.manual_seed(0)
    for _ in range(4):
        inputs = 5 + torch.randn(8, 3)
        plain(inputs)
        with statistics.traced() as trace:
            traced(inputs)
        statistics.follow(trace)
    for one, other in zip(plain.buffers(), traced.buffers(), strict=True):
        assert torch.allclose(one, other, rtol=1e-6)
    assert traced.num_batches_tracked == 4


def test_a_part_that_fails_leaves_the_statistics_as_they_were() -> None:
    norm = nn.BatchNorm1d(3)
    before = [buffer.clone() for buffer in norm.buffers()]

    def fail() -> None:
        with Statistics(norm).traced():
            norm(torch.ones(4, 3))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert all(map(torch.equal, before, norm.buffers()))


def test_each_part_has_a_dropout_mask_of_its_own() -> None:
    model = build_small()
    kept: list[Tensor] = []
    model[3].register_forward_hook(lambda *call: kept.append(call[2] != 0))
    OwnGradients.of(model, FP32)(next(make_batches(micro_batch=8).epoch(1)), 7)
    assert len(kept) == 2
    assert not torch.equal(*kept)


def make_failing(error: Exception) -> Callable[[Tensor], Tensor]:
    def fail(_: Tensor) -> Tensor:
        raise error

    return fail


def test_a_part_that_cannot_be_made_is_heard_of_once_all_have_come_so_far() -> None:
    batch = next(make_batches(micro_batch=8).epoch(1))
    model, gathered = build_small(), []

    class Counting(Alone):
        def gather(self, tensor: Tensor, to: int = 0) -> list[Tensor]:
            gathered.append(to)
            return super().gather(tensor, to)

    maker = PartMaker(model, make_failing(RuntimeError("out of memory")), FP32)
    with pytest.raises(RuntimeError, match="out of memory"):
        SharedGradients(maker, Counting(0, 1, 0))(batch, 7)
    assert len(gathered) == 5  # a slice and what is told of each of two parts, and the sum


def test_tensors_in_a_row_are_the_same_tensors() -> None:
    tensors = [torch.arange(6.0).view(2, 3), torch.tensor(7.0), torch.ones(2, 1, 1)]
    row = flatten(tensors)
    assert row.shape == (9,)
    assert all(map(torch.equal, tensors, unflatten(torch.cat([row, torch.zeros(3)]), tensors)))
