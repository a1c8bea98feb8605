"""Alternating flips and random crops."""

import pytest
import torch
from torch import Generator

from smallvision.augment import AUGMENTATIONS, random_crop

flip = AUGMENTATIONS["alternating_flip"].apply
IMAGES = torch.arange(40 * 3 * 4 * 4, dtype=torch.int32).remainder(251).to(torch.uint8)
IMAGES = IMAGES.view(40, 3, 4, 4)
TARGETS = torch.eye(40)


def mirrored(epoch: int, seed: int = 0, picks: torch.Tensor | None = None) -> torch.Tensor:
    """Which images of a batch an epoch mirrors."""
    picks = torch.arange(40) if picks is None else picks
    out, _ = flip(IMAGES[picks], TARGETS[picks], Generator(), indices=picks, epoch=epoch, seed=seed)
    return (out != IMAGES[picks]).any(dim=(1, 2, 3))


def test_each_image_turns_with_every_epoch() -> None:
    for epoch in range(1, 6):
        assert torch.equal(mirrored(epoch), ~mirrored(epoch + 1))


def test_the_first_epoch_is_a_coin_of_seed_and_image() -> None:
    assert 8 < mirrored(1).sum() < 32
    assert not torch.equal(mirrored(1), mirrored(1, seed=1))
    order = torch.randperm(40, generator=Generator().manual_seed(0))
    assert torch.equal(mirrored(1, picks=order), mirrored(1)[order])


def test_coins_are_fair_and_do_not_follow_the_order_of_images() -> None:
    indices = torch.arange(50_000)
    images = torch.tensor([[[[0, 1]]]], dtype=torch.uint8).expand(50_000, 1, 1, 2)
    out, _ = flip(images, indices[:, None], Generator(), indices=indices, epoch=1, seed=7)
    coins = out[:, 0, 0, 0].float()
    assert coins.mean().item() == pytest.approx(0.5, abs=0.01)  # 4.5 standard errors
    for lag in (1, 2, 8, 64, 1000):
        agreement = (coins[:-lag] == coins[lag:]).float().mean().item()
        assert agreement == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_random_crop_is_a_part_of_its_image(dtype: torch.dtype) -> None:
    images = torch.randint(0, 256, (30, 3, 6, 5), generator=Generator().manual_seed(0)).to(dtype)
    out, targets = random_crop(images, TARGETS[:30], Generator().manual_seed(1), side=3)
    assert (out.shape, out.dtype) == ((30, 3, 3, 3), dtype)
    assert torch.equal(targets, TARGETS[:30])
    places = set()
    for image, part in zip(images, out, strict=True):
        places |= {
            (y, x)
            for y in range(4)
            for x in range(3)
            if torch.equal(image[:, y : y + 3, x : x + 3], part)
        }
    assert len(places) >= 9, "nearly all of the 12 places occur"


def test_a_random_crop_as_large_as_the_image_is_the_image() -> None:
    out, _ = random_crop(IMAGES, TARGETS, Generator().manual_seed(0), side=9)
    assert torch.equal(out, IMAGES)
