"""The operations of TrivialAugment, each on a group of images with a strength per image.

They are those of RandAugment (Cubuk et al., arXiv 1909.13719), with its ranges. Every function
takes uint8 images `(n, C, H, W)`, where C is 1 or 3, and strengths `(n,)` in [-1, 1], where 0
changes nothing. Operations without a direction use the absolute value alone; `autocontrast` and
`equalize` ignore the strength. Each returns uint8 of the same shape. Pillow is the reference;
these round where Pillow truncates.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Operation = Callable[[Tensor, Tensor], Tensor]

SHEAR = 0.3  # pixels per pixel
TRANSLATE = 10 / 32  # of the side: ten pixels of CIFAR's 32
ROTATE = math.radians(30)
ENHANCE = 0.9  # factors from 0.1 to 1.9
POSTERIZE = 4  # the most bits of 8 that are dropped
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as in Pillow


def identity(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001 - one shape for all
    """Change nothing."""
    return images


def shear_x(images: Tensor, strength: Tensor) -> Tensor:
    """Shear to the left or right."""
    return warp(images, across=(1.0, SHEAR * strength, 0.0), down=(0.0, 1.0, 0.0))


def shear_y(images: Tensor, strength: Tensor) -> Tensor:
    """Shear up or down."""
    return warp(images, across=(1.0, 0.0, 0.0), down=(SHEAR * strength, 1.0, 0.0))


def translate_x(images: Tensor, strength: Tensor) -> Tensor:
    """Translate left or right."""
    shift = TRANSLATE * images.shape[3] * strength
    return warp(images, across=(1.0, 0.0, shift), down=(0.0, 1.0, 0.0))


def translate_y(images: Tensor, strength: Tensor) -> Tensor:
    """Translate up or down."""
    shift = TRANSLATE * images.shape[2] * strength
    return warp(images, across=(1.0, 0.0, 0.0), down=(0.0, 1.0, shift))


def rotate(images: Tensor, strength: Tensor) -> Tensor:
    """Rotate about the centre."""
    cos, sin = (ROTATE * strength).cos(), (ROTATE * strength).sin()
    return warp(images, across=(cos, -sin, 0.0), down=(sin, cos, 0.0))


def brightness(images: Tensor, strength: Tensor) -> Tensor:
    """Darken or brighten."""
    return enhance(images, torch.zeros((), device=images.device), strength)


def contrast(images: Tensor, strength: Tensor) -> Tensor:
    """Move every pixel towards or away from the image's mean grey."""
    return enhance(images, to_grey(images).mean(dim=(1, 2, 3), keepdim=True).round(), strength)


def saturation(images: Tensor, strength: Tensor) -> Tensor:
    """Move colours towards or away from grey; grey images stay as they are."""
    return enhance(images, to_grey(images), strength)


def sharpness(images: Tensor, strength: Tensor) -> Tensor:
    """Blur or sharpen; the outermost pixels stay as they are."""
    C = images.shape[1]
    kernel = torch.full((C, 1, 3, 3), 1 / 13, device=images.device)
    kernel[:, :, 1, 1] = 5 / 13
    blurred = images.float()
    blurred[:, :, 1:-1, 1:-1] = F.conv2d(images.float(), kernel, groups=C)
    return enhance(images, blurred, strength)


def posterize(images: Tensor, strength: Tensor) -> Tensor:
    """Keep the upper 4 to 8 bits of each byte."""
    dropped = (POSTERIZE * strength.abs()).round().to(torch.uint8).view(-1, 1, 1, 1)
    return (images >> dropped) << dropped


def solarize(images: Tensor, strength: Tensor) -> Tensor:
    """Invert bytes from a threshold upwards."""
    threshold = (256 * (1 - strength.abs())).view(-1, 1, 1, 1)
    return torch.where(images >= threshold, 255 - images, images)


def autocontrast(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001 - one shape for all
    """Stretch each channel from black to white; a channel of one value stays as it is."""
    low, high = images.amin(dim=(2, 3), keepdim=True), images.amax(dim=(2, 3), keepdim=True)
    spread = (high - low).clamp(min=1)
    stretched = ((images - low) * (255 / spread)).round().to(torch.uint8)
    return torch.where(high > low, stretched, images)


def equalize(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001 - one shape for all
    """Spread the values of each channel evenly, by Pillow's integer rule."""
    values = images.flatten(2).long()
    counts = torch.zeros(*values.shape[:2], 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(2, values, torch.ones_like(values))
    # The pixels of the brightest value found do not count, so that it becomes white.
    last = counts.gather(2, values.amax(dim=2, keepdim=True))
    step = (values.shape[2] - last) // 255
    below = counts.cumsum(dim=2) - counts
    table = ((below + step // 2) // step.clamp(min=1)).clamp(max=255)
    equal = table.gather(2, values).to(torch.uint8).view_as(images)
    return torch.where(step.unsqueeze(3) > 0, equal, images)


OPERATIONS: dict[str, Operation] = {
    "identity": identity,
    "shear_x": shear_x,
    "shear_y": shear_y,
    "translate_x": translate_x,
    "translate_y": translate_y,
    "rotate": rotate,
    "brightness": brightness,
    "contrast": contrast,
    "saturation": saturation,
    "sharpness": sharpness,
    "posterize": posterize,
    "solarize": solarize,
    "autocontrast": autocontrast,
    "equalize": equalize,
}

Row = tuple[Tensor | float, Tensor | float, Tensor | float]


def warp(images: Tensor, across: Row, down: Row) -> Tensor:
    """Apply an affine map about the centre, by nearest-neighbour sampling.

    Args:
        images: `(n, C, H, W)`.
        across, down: a row `(a, b, c)` each, of numbers or `(n,)`: the source of a pixel that
            lies (x, y) from the centre lies a x + b y + c from it. Sources outside are black.
    """
    n, _, H, W = images.shape
    x = torch.arange(W, device=images.device) - (W - 1) / 2
    y = (torch.arange(H, device=images.device) - (H - 1) / 2).unsqueeze(1)

    def map_onto(row: Row, side: int) -> Tensor:
        a, b, c = (v.view(-1, 1, 1) if isinstance(v, Tensor) else v for v in row)
        # Not round(), which rounds halves to even numbers: columns would be lost or doubled.
        return (a * x + b * y + c + side / 2).floor().long()

    columns, rows = map_onto(across, W), map_onto(down, H)
    inside = (columns >= 0) & (columns < W) & (rows >= 0) & (rows < H)
    picks = torch.arange(n, device=images.device).view(n, 1, 1)
    pixels = images.permute(0, 2, 3, 1)[picks, rows.clamp(0, H - 1), columns.clamp(0, W - 1)]
    return (pixels * inside.unsqueeze(3)).permute(0, 3, 1, 2)


def enhance(images: Tensor, degenerate: Tensor, strength: Tensor) -> Tensor:
    """Blend images with a degenerate form of themselves, as Pillow's ImageEnhance does."""
    factor = (1 + ENHANCE * strength).view(-1, 1, 1, 1)
    return (degenerate + factor * (images - degenerate)).round().clamp(0, 255).to(torch.uint8)


def to_grey(images: Tensor) -> Tensor:
    """Luma of each pixel, rounded, float32 `(n, 1, H, W)`."""
    if images.shape[1] == 1:
        return images.float()
    return (images * weigh_channels(images.device)).sum(dim=1, keepdim=True).round()


@functools.cache
def weigh_channels(device: torch.device) -> Tensor:
    """The weight of each channel in luma, `(1, C, 1, 1)`; copied to a device once."""
    return torch.tensor(LUMA, device=device).view(1, -1, 1, 1)
