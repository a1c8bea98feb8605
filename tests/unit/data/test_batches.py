"""Which images an epoch goes over, and in which order."""

from itertools import chain

import torch

from smallvision.augment import build_normalizer
from smallvision.data.batches import TrainBatches


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
