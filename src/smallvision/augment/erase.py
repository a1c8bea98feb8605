"""Augmentations that hide a part of each image."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from smallvision.augment.boxes import mask_boxes
from smallvision.augment.draws import choose

MAX_ASPECT = 1 / 0.3  # height over width of an erased box; the smallest is the inverse


def cutout(
    images: Tensor, targets: Tensor, generator: Generator, *, size: int = 8
) -> tuple[Tensor, Tensor]:
    """Replace a square of each image by grey; its centre is drawn from all pixels of the image.

    Source: DeVries and Taylor, arXiv 1708.04552. They fill with the mean after normalisation;
    mid-grey before normalisation is within a few hundredths of it for natural images.

    Args:
        images: `(N, C, H, W)`, uint8, or float in [0, 1].
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        size: side of the square in pixels, at least 1.
    """
    N, _, H, W = images.shape
    device = generator.device
    top = torch.randint(H, (N,), generator=generator, device=device) - size // 2
    left = torch.randint(W, (N,), generator=generator, device=device) - size // 2
    side = torch.full_like(top, size)
    hidden = mask_boxes(top, left, side, side, images.shape[2:]).to(images.device)
    grey = 0.5 if images.is_floating_point() else 128
    return images.masked_fill(hidden, grey), targets


def random_erasing(
    images: Tensor,
    targets: Tensor,
    generator: Generator,
    *,
    probability: float = 0.5,
    area: tuple[float, float] = (0.02, 0.4),
) -> tuple[Tensor, Tensor]:
    """Replace a box inside some of the images by noise, drawn for each pixel and channel.

    Source: Zhong et al., arXiv 1708.04896, with their aspect ratios of 0.3 to 3.3. They draw
    again until a box fits; here a side longer than the image is cut to the image, so that every
    image takes the same number of draws.

    Args:
        images: `(N, C, H, W)`, uint8, or float in [0, 1].
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        probability: in [0, 1], of each image.
        area: least and largest share of an image to replace, each in [0, 1].
    """
    N, _, H, W = images.shape
    chosen = choose(probability, N, generator)
    u = torch.rand(4, N, generator=generator, device=generator.device)
    pixels = (area[0] + (area[1] - area[0]) * u[0]) * H * W
    aspect = ((2 * u[1] - 1) * math.log(MAX_ASPECT)).exp()
    height = (pixels * aspect).sqrt().round().clamp(max=H) * chosen
    width = (pixels / aspect).sqrt().round().clamp(max=W) * chosen
    top, left = u[2] * (H - height + 1), u[3] * (W - width + 1)
    erased = mask_boxes(top.long(), left.long(), height.long(), width.long(), images.shape[2:]).to(
        images.device
    )
    # The noise has 256 levels, like the pixels it replaces, whatever their type.
    noise = torch.randint(
        256, images.shape, generator=generator, device=generator.device, dtype=torch.uint8
    ).to(images.device)
    if images.is_floating_point():
        return torch.where(erased, noise.to(images.dtype) / 255, images), targets
    return torch.where(erased, noise, images), targets
