"""TrivialAugment's operations against Pillow, the reference of the paper's code."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import Generator, Tensor

from smallvision.augment import AUGMENTATIONS
from smallvision.augment.operations import OPERATIONS

STRENGTHS = [-1.0, -0.4, 0.0, 0.3, 1.0]


def draw_images(C: int, side: int = 32, low: int = 20, high: int = 200) -> Tensor:
    """Smooth, unlike noise, so that interpolation and histograms have something to show."""
    generator = Generator().manual_seed(C)
    coarse = torch.rand(len(STRENGTHS), C, 5, 5, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return (low + (high - low) * fine).to(torch.uint8)


def to_pillow(image: Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).numpy()
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])


PILLOW: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "identity": lambda image, s: image,
    "brightness": lambda image, s: ImageEnhance.Brightness(image).enhance(1 + 0.9 * s),
    "contrast": lambda image, s: ImageEnhance.Contrast(image).enhance(1 + 0.9 * s),
    "saturation": lambda image, s: ImageEnhance.Color(image).enhance(1 + 0.9 * s),
    "sharpness": lambda image, s: ImageEnhance.Sharpness(image).enhance(1 + 0.9 * s),
    "posterize": lambda image, s: ImageOps.posterize(image, 8 - round(4 * abs(s))),
    "solarize": lambda image, s: ImageOps.solarize(image, 256 * (1 - abs(s))),
    "autocontrast": lambda image, s: ImageOps.autocontrast(image),
    "equalize": lambda image, s: ImageOps.equalize(image),
}
EXACT = {"identity", "posterize", "solarize", "equalize"}
GEOMETRY = sorted(set(OPERATIONS) - set(PILLOW))


@pytest.mark.parametrize("C", [1, 3])
@pytest.mark.parametrize("name", PILLOW)
def test_agrees_with_pillow(name: str, C: int) -> None:
    images = draw_images(C)
    out = OPERATIONS[name](images, torch.tensor(STRENGTHS))
    for image, strength, got in zip(images, STRENGTHS, out, strict=True):
        expected = np.asarray(PILLOW[name](to_pillow(image), strength)).reshape(32, 32, C)
        off = np.abs(got.permute(1, 2, 0).numpy().astype(int) - expected)
        # Pillow cuts fractions off twice: in the plain image and in the blend away from it.
        assert off.max() <= (0 if name in EXACT else 2)


@pytest.mark.parametrize("name", ["autocontrast", "equalize"])
def test_a_plain_image_stays_as_it_is(name: str) -> None:
    images = torch.full((1, 3, 16, 16), 77, dtype=torch.uint8)
    assert torch.equal(OPERATIONS[name](images, torch.ones(1)), images)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"autocontrast", "equalize"}))
def test_no_strength_changes_nothing(name: str) -> None:
    images = draw_images(3)
    assert torch.equal(OPERATIONS[name](images, torch.zeros(len(images))), images)


def test_translation_moves_by_whole_pixels() -> None:
    images = draw_images(1)
    out = OPERATIONS["translate_x"](images, torch.full((len(images),), 0.5))  # 5 of 32 pixels
    assert torch.equal(out[..., :-5], images[..., 5:])
    assert not out[..., -5:].any()
    out = OPERATIONS["translate_y"](images, torch.full((len(images),), -1.0))
    assert torch.equal(out[:, :, 10:], images[:, :, :-10])
    assert not out[:, :, :10].any()


@pytest.mark.parametrize("degrees", [-30, -10, 20])
def test_rotation_agrees_with_pillow(degrees: int) -> None:
    images = draw_images(1)
    out = OPERATIONS["rotate"](images, torch.full((len(images),), degrees / 30))
    for image, got in zip(images, out, strict=True):
        expected = np.asarray(to_pillow(image).rotate(degrees))
        same = np.abs(got[0].numpy().astype(int) - expected) <= 1
        assert same.mean() > 0.97, "all but ties between two nearest pixels"


@pytest.mark.parametrize(("name", "axis"), [("shear_x", 2), ("shear_y", 1)])
def test_shear_moves_lines_in_proportion(name: str, axis: int) -> None:
    images = torch.zeros(1, 1, 33, 33, dtype=torch.uint8)
    middle = images.select(3 if name == "shear_x" else 2, 16)
    middle[:] = 255
    line = OPERATIONS[name](images, torch.ones(1))[0, 0]
    line = line if name == "shear_x" else line.T
    places = line.argmax(dim=1)
    offsets = torch.arange(33) - 16
    assert ((places - 16 + 0.3 * offsets).abs() <= 0.5 + 1e-4).all()


def test_trivial_augment_does_one_operation_to_each() -> None:
    images = draw_images(3)[torch.arange(300) % len(STRENGTHS)]
    targets = torch.eye(2)[torch.arange(300) % 2]
    out, _ = AUGMENTATIONS["trivial_augment"].apply(images, targets, Generator().manual_seed(0))
    levels = torch.arange(-30, 31) / 30
    seen = set()
    for before, after in zip(images, out, strict=True):
        many = before.expand(len(levels), -1, -1, -1)
        made = [
            name
            for name, operation in OPERATIONS.items()
            if (operation(many, levels) == after).flatten(1).all(dim=1).any()
        ]
        assert made
        seen.update(made)
    assert seen == set(OPERATIONS)
