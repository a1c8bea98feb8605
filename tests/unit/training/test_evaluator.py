"""What is measured of a network in training, against what it says by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from smallvision.augment import build_normalizer
from smallvision.training import Evaluator
from tests.support.models import FP32

IMAGES = torch.tensor([0, 255, 255, 0], dtype=torch.uint8).view(4, 1, 1, 1)
LABELS = torch.tensor([0, 1, 0, 0])


def build_network() -> nn.Module:
    """Logits `(0, x)` of a pixel x, which normalisation puts at -2 or 2; dropout would spoil it."""
    linear = nn.Linear(1, 2, bias=False)
    linear.weight.data = torch.tensor([[0.0], [1.0]])
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.99), linear)


def test_loss_and_accuracy_by_hand() -> None:
    entered: list[str] = []

    @contextmanager
    def enter() -> Iterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    normalize = build_normalizer([0.5], [0.25], "cpu")
    evaluator = Evaluator((IMAGES, LABELS), None, normalize, FP32, enter)
    network = build_network().train()
    loss, accuracy, score = evaluator.measure(network, *evaluator.train)
    right, wrong = -torch.tensor([2.0, -2.0]).sigmoid().log()
    assert loss == pytest.approx(float(3 * right + wrong) / 4)
    assert accuracy == score == 0.75
    assert network.training, "its mode is put back"
    assert entered == ["in", "out"], "a signal may come while it measures"


def test_the_score_is_the_metric_that_epochs_are_chosen_by() -> None:
    normalize = build_normalizer([0.5], [0.25], "cpu")
    evaluator = Evaluator((IMAGES, LABELS), None, normalize, FP32, metric="balanced_accuracy")
    measured = evaluator.measure(build_network(), *evaluator.train)
    assert measured.accuracy == 0.75
    assert measured.score == pytest.approx((2 / 3 + 1) / 2)
