"""What the fast recipes add: alternating flips, small images."""

import pytest
import torch
from torch import Generator

from smallvision.augment import AUGMENTATIONS, resize

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


def test_resize_takes_the_mean_of_what_it_covers() -> None:
    images = torch.randint(0, 256, (5, 3, 8, 8), generator=Generator().manual_seed(0))
    images = images.to(torch.uint8)
    small, targets = resize(images, TARGETS[:5], Generator(), side=4)
    assert (small.shape, small.dtype) == ((5, 3, 4, 4), torch.uint8)
    assert torch.equal(targets, TARGETS[:5])
    # The mean brightness stays, and a flat image stays as it is.
    assert small.float().mean().item() == pytest.approx(images.float().mean().item(), abs=3)
    flat = torch.full((1, 3, 8, 12), 77, dtype=torch.uint8)
    assert torch.equal(resize(flat, TARGETS[:1], Generator(), side=4)[0], flat[:, :, :4, :6])


def test_resize_to_its_own_size_changes_nothing() -> None:
    assert resize(IMAGES, TARGETS, Generator(), side=4)[0] is IMAGES
