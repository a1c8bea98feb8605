"""Which images an epoch goes over, and in which order."""

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from smallvision.augment import build_normalizer
from smallvision.data.batches import TrainBatches, draw_balanced, weigh_classes


def make() -> TrainBatches:
    images = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)
    return TrainBatches(
        images,
        torch.zeros(40, dtype=torch.int64),
        num_classes=2,
        normalize=build_normalizer([0.5], [0.5]),
        batch_size=4,
        augmentations=lambda _step, _picks: (),
        seed=3,
    )


def picks(batches: TrainBatches, epoch: int) -> list[list[int]]:
    return [batch.picks.tolist() for batch in batches.epoch(epoch)]


def test_an_epoch_meets_every_image_once_in_an_order_of_its_own() -> None:
    first, second = picks(make(), 1), picks(make(), 2)
    assert sorted(chain(*first)) == list(range(40))
    assert first != second
    assert first == picks(make(), 1)


LABELS = torch.tensor([0] * 30 + [1] * 7 + [2] * 3)


def make_uneven(**changes: Any) -> TrainBatches:
    return replace(make(), labels=LABELS, num_classes=4, **changes)


def test_balanced_passes_take_as_many_images_of_each_class() -> None:
    batches = make_uneven(is_balanced=True)
    drawn = torch.tensor(list(chain(*picks(batches, 1))))
    assert len(drawn) == 40
    assert sorted(torch.bincount(LABELS[drawn]).tolist()) == [13, 13, 14]
    times = torch.bincount(drawn, minlength=40)
    for label in (1, 2):
        few = times[label == LABELS]
        assert int(few.max() - few.min()) <= 1, "an image of a class is not drawn more than others"
    assert picks(batches, 1) == picks(make_uneven(is_balanced=True), 1)
    assert picks(batches, 1) != picks(batches, 2)


def test_balanced_passes_of_many_classes_take_one_image_of_some() -> None:
    labels = torch.arange(50) % 25
    drawn = draw_balanced(labels, 10, torch.Generator().manual_seed(0))
    assert len(set(labels[drawn].tolist())) == 10


def test_weights_are_one_over_the_size_of_the_class() -> None:
    weights = weigh_classes(LABELS, 4)
    assert weights.tolist() == pytest.approx([40 / 90, 40 / 21, 40 / 9, 0])
    assert float(weights[LABELS].mean()) == pytest.approx(1)


def test_weighted_targets_weigh_the_loss_as_torch_does() -> None:
    """Of mixed targets too, which torch/pytorch weighs class by class."""
    weights = weigh_classes(LABELS, 4)
    plain, weighted = make_uneven(), make_uneven(class_weights=weights)
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    for one, other in zip(plain.epoch(1), weighted.epoch(1), strict=True):
        ((_, targets),), ((_, heavy),) = list(one), list(other)
        expected = F.cross_entropy(logits, targets, weight=weights, reduction="sum")
        assert float(F.cross_entropy(logits, heavy, reduction="sum")) == pytest.approx(
            float(expected)
        )
