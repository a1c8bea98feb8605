"""Muon against what an orthogonal step must be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from smallvision.optim import OPTIMIZERS
from smallvision.optim.muon import Muon, orthogonalize


def descend(model: nn.Module, loss_of: Callable[[], Tensor], steps: int, **settings: float) -> Muon:
    """Take steps; returns the optimiser."""
    optimizer = OPTIMIZERS["muon"](model, **settings)
    assert isinstance(optimizer, Muon)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        return loss.detach()

    for _ in range(steps):
        optimizer.step(closure)
    return optimizer


@pytest.mark.parametrize("shape", [(8, 4, 3, 3), (48, 2, 3, 3), (16, 16, 1, 1)])
def test_singular_values_come_close_to_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    # Gaussian matrices, whose singular values differ by a factor of about ten, or more if square.
    banks = [torch.randn(shape) * scale for scale in (1e-3, 1.0, 1e3)]
    for bank, result in zip(banks, orthogonalize(banks), strict=True):
        values = torch.linalg.svdvals(result.reshape(len(result), -1))
        assert values.median() == pytest.approx(1, abs=0.35)
        assert values.max() < 1.35
        # The directions are those of the gradient: in its singular basis the result is diagonal.
        left, _, right = torch.linalg.svd(bank.reshape(len(bank), -1), full_matrices=False)
        inner = left.T @ result.reshape(len(bank), -1) @ right.T
        assert (inner - inner.diag().diag()).abs().max() < 0.05


def test_a_batch_of_banks_is_each_bank_alone() -> None:
    torch.manual_seed(0)
    banks = [torch.randn(shape) for shape in ((8, 4, 3, 3), (6, 6, 3, 3), (8, 4, 3, 3))]
    together = orthogonalize(banks)
    assert [bank.shape for bank in together] == [bank.shape for bank in banks]
    for bank, result in zip(banks, together, strict=True):
        assert torch.allclose(orthogonalize([bank])[0], result, atol=0.02)


def test_layout_in_memory_does_not_matter() -> None:
    torch.manual_seed(0)
    bank = torch.randn(8, 4, 3, 3)
    strided = bank.to(memory_format=torch.channels_last)
    assert torch.equal(orthogonalize([bank])[0], orthogonalize([strided])[0])


def test_filters_keep_the_length_that_their_number_gives() -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 9, 3, bias=False)
    target = torch.randn(9, 4, 3, 3)
    descend(conv, lambda: (conv.weight * target).sum(), 5, lr=1e-6)
    assert conv.weight.norm().item() == pytest.approx(3, rel=1e-4)


def test_momentum_of_filters_is_nesterovs() -> None:
    """With a constant gradient g the buffer after two steps is 1.6 g, and all are parallel."""
    torch.manual_seed(0)
    conv = nn.Conv2d(4, 8, 3, bias=False)
    target = torch.randn(8, 4, 3, 3)
    optimizer = descend(conv, lambda: (conv.weight * target).sum(), 2)
    assert torch.allclose(optimizer.state[conv.weight]["momentum_buffer"], 1.6 * target, atol=1e-5)


def test_all_else_is_stepped_by_sgd_with_decay_apart_from_the_rate() -> None:
    torch.manual_seed(0)
    head = nn.Linear(3, 2)
    weight, bias = (p.detach().clone() for p in head.parameters())
    slope = torch.randn(2, 3)
    settings = {"matrix_lr": 0.5, "vector_lr": 0.1, "vector_momentum": 0.85, "weight_decay": 0.01}
    descend(head, lambda: (head.weight * slope).sum() + 2 * head.bias.sum(), 1, **settings)
    nesterov = 1 + 0.85
    assert torch.allclose(head.weight, weight - nesterov * (0.5 * slope + 0.01 * weight), atol=1e-6)
    assert torch.allclose(head.bias, bias - nesterov * (0.1 * 2 + 0.01 * bias), atol=1e-6)


def test_what_is_frozen_stays() -> None:
    conv = nn.Conv2d(4, 8, 3, bias=False)
    conv.weight.requires_grad_(False)
    before = conv.weight.clone()
    head = nn.Linear(2, 2)
    model = nn.ModuleList([conv, head])
    descend(model, lambda: head.weight.sum(), 1)
    assert torch.equal(conv.weight, before)
