"""Which images an epoch goes over, and in which order."""

from itertools import chain

import pytest
import torch

from smallvision.augment import build_normalizer
from smallvision.data.batches import TrainBatches


def make(hard_from: int | None = None, hard_share: float = 0.5) -> TrainBatches:
    images = torch.zeros(40, 1, 2, 2, dtype=torch.uint8)
    return TrainBatches(
        images,
        torch.zeros(40, dtype=torch.int64),
        num_classes=2,
        normalize=build_normalizer([0.5], [0.5]),
        batch_size=4,
        augmentations=lambda _step, _picks: (),
        seed=3,
        hard_from=hard_from,
        hard_share=hard_share,
    )


def picks(batches: TrainBatches, epoch: int) -> list[list[int]]:
    return [batch.picks.tolist() for batch in batches.epoch(epoch)]


def test_an_epoch_meets_every_image_once_in_an_order_of_its_own() -> None:
    first, second = picks(make(), 1), picks(make(), 2)
    assert sorted(chain(*first)) == list(range(40))
    assert first != second
    assert first == picks(make(), 1)


def test_the_epochs_before_are_as_without_focus() -> None:
    assert picks(make(hard_from=2), 1) == picks(make(), 1)


@pytest.mark.parametrize(("share", "passes"), [(0.5, [5, 5]), (0.3, [3, 3, 3, 1]), (1.0, [10])])
def test_passes_over_the_hardest(share: float, passes: list[int]) -> None:
    batches = make(hard_from=2, hard_share=share)
    batches.losses[:] = torch.arange(40).float()
    steps = picks(batches, 2)
    assert len(steps) == 10, "as many steps as any epoch"
    for length in passes:
        mine, steps = list(chain(*steps[:length])), steps[length:]
        assert len(set(mine)) == len(mine)
        hardest = set(range(40 - 4 * passes[0], 40))
        assert set(mine) <= hardest
        assert len(mine) == 4 * passes[0] or not steps


def test_each_pass_asks_anew() -> None:
    batches = make(hard_from=1)
    seen = []
    for step, batch in enumerate(batches.epoch(1)):
        seen.append(set(batch.picks.tolist()))
        # What was met is easy from now on, so the second pass is over the others.
        batch.note(torch.zeros(4))
        assert batches.losses[batch.picks].tolist() == [0] * 4
        if step == 4:
            assert batches.losses.isinf().sum() == 20
    assert set.union(*seen) == set(range(40))


def test_what_was_never_met_is_hardest() -> None:
    batches = make(hard_from=1)
    batches.losses[:30] = 5.0
    first_pass = set(chain(*picks(batches, 1)[:5]))
    assert set(range(30, 40)) <= first_pass
