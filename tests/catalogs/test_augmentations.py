"""Every augmentation of the catalogue, through one suite."""

import pytest
import torch
from torch import Generator, Tensor

from smallvision.augment import AUGMENTATIONS


def batch(
    dtype: torch.dtype = torch.uint8, side: tuple[int, int] = (12, 10)
) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(5)
    images = torch.randint(0, 256, (16, 3, *side), generator=generator).to(torch.uint8)
    targets = torch.eye(4)[torch.arange(16) % 4]
    return (images if dtype == torch.uint8 else images.to(dtype) / 255), targets


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_keeps_shape_type_and_targets(name: str, dtype: torch.dtype) -> None:
    images, targets = batch(dtype)
    before = images.clone()
    out, out_targets = AUGMENTATIONS[name].apply(images, targets, Generator().manual_seed(0))
    assert (out.shape, out.dtype) == (images.shape, images.dtype)
    assert torch.equal(images, before), "the input must not be written to"
    assert torch.allclose(out_targets.sum(dim=1), torch.ones(16))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_is_a_function_of_its_generator(name: str) -> None:
    images, targets = batch()
    apply = AUGMENTATIONS[name].apply
    first, again, other = (
        apply(images, targets, Generator().manual_seed(seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_leaves_the_global_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    AUGMENTATIONS[name].apply(*batch(), Generator().manual_seed(0))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_does_not_depend_on_memory_layout(name: str) -> None:
    images, targets = batch()
    strided = images.to(memory_format=torch.channels_last)
    apply = AUGMENTATIONS[name].apply
    first, _ = apply(images, targets, Generator().manual_seed(1))
    second, _ = apply(strided, targets, Generator().manual_seed(1))
    assert torch.equal(first, second)


def test_flip_mirrors_about_half() -> None:
    images, targets = batch()
    out, _ = AUGMENTATIONS["flip"].apply(images, targets, Generator().manual_seed(0))
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(out, images, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(out, images, strict=True)]
    assert all(m or k for m, k in zip(mirrored, kept, strict=True))
    assert 3 < sum(mirrored) < 13


def test_crop_is_pad_and_crop_with_reflection() -> None:
    images, targets = batch(torch.float32)
    padding = 3
    out, _ = AUGMENTATIONS["crop"].apply(
        images, targets, Generator().manual_seed(0), padding=padding
    )
    padded = torch.nn.functional.pad(images, (padding,) * 4, mode="reflect")
    H, W = images.shape[2:]
    for image, around in zip(out, padded, strict=True):
        windows = [
            around[:, y : y + H, x : x + W]
            for y in range(2 * padding + 1)
            for x in range(2 * padding + 1)
        ]
        assert any(torch.equal(image, window) for window in windows)


def test_cutout_hides_at_most_its_square() -> None:
    images, targets = batch(torch.float32)
    out, _ = AUGMENTATIONS["cutout"].apply(images, targets, Generator().manual_seed(0), size=5)
    changed = (out != images).any(dim=1).flatten(1).sum(dim=1)
    assert (changed <= 25).all()
    assert (changed > 0).all()
