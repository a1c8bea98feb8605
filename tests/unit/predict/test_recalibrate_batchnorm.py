"""Batch-norm statistics taken anew against those of the images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from smallvision.predict import refresh_norms
from tests.support.models import FP32


def draw_images(count: int) -> Tensor:
    return torch.randint(0, 256, (count, 2, 1, 1), dtype=torch.uint8)


def test_batch_norm_holds_the_statistics_of_the_clean_images() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.BatchNorm1d(2))
    images = draw_images(40)
    model(images.float() * 3)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    refresh_norms(model, images, torch.Tensor.float, FP32)
    pixels = images.flatten(1).double()
    norm = model[2]
    assert norm.running_mean.tolist() == pytest.approx(pixels.mean(dim=0).tolist())
    assert norm.running_var.tolist() == pytest.approx(pixels.var(dim=0).tolist())
    assert norm.momentum == 0.1
    assert all(module.training for module in model.modules())
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_of_refreshed_norms_count_alike_and_never_hold_one_image() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2))
    images = draw_images(513)
    refresh_norms(model, images, torch.Tensor.float, FP32)
    mean = images.flatten(1).double().mean(dim=0)
    assert model[1].running_mean.tolist() == pytest.approx(mean.tolist(), rel=2e-3)
    assert int(model[1].num_batches_tracked) == 2
