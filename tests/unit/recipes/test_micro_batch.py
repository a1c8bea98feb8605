import pytest
import torch
from torch import nn

from smallvision.recipes import Recipe
from smallvision.recipes.micro_batch import choose_micro_batch, scale_norm_momentum
from tests.support.measurements import CPU


def test_a_gpu_computes_whole_batches() -> None:
    recipe = Recipe(batch_size=64, micro_batch=16)
    assert choose_micro_batch(recipe, CPU) == 16
    assert choose_micro_batch(recipe, CPU.model_copy(update={"device": "cuda"})) == 0


def test_running_statistics_change_as_much_as_with_the_whole_batch() -> None:
    norm = nn.BatchNorm1d(1, momentum=0.3)
    scale_norm_momentum(norm, batch_size=64, micro_batch=16)
    for _ in range(4):
        norm(torch.tensor([[0.0], [2.0]]))
    assert norm.running_mean.item() == pytest.approx(0.3)  # of a mean of 1, from 0


def test_a_whole_batch_leaves_the_momentum() -> None:
    norm = nn.BatchNorm1d(1, momentum=0.3)
    scale_norm_momentum(norm, batch_size=64, micro_batch=0)
    assert norm.momentum == 0.3
