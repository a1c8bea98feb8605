"""TrivialAugment: one random operation of random strength on each image."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from smallvision.augment.operations import OPERATIONS

LEVELS = 31


def trivial_augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Apply one of 14 operations, drawn evenly, to each image, at one of 31 strengths.

    Source: Müller and Hutter, arXiv 2103.10158, with the operations they call "RA", whose rotations
    of at most 30 degrees leave a digit readable; their "wide" space rotates by up to 135 degrees.

    Args:
        images: `(N, C, H, W)`, C being 1 or 3; uint8, or float in [0, 1], which is rounded to
            256 levels.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
    """
    N, device = len(images), generator.device
    # Operations are drawn on the host, which must know how many images each one gets: reading
    # that from a GPU would make the host wait.
    host = generator
    if device.type != "cpu":
        host = Generator().manual_seed(generator.initial_seed())
    operations = torch.randint(len(OPERATIONS), (N,), generator=host)
    levels = torch.randint(LEVELS, (N,), generator=generator, device=device)
    directions = 2 * torch.randint(2, (N,), generator=generator, device=device) - 1
    strengths = (directions * levels / (LEVELS - 1)).to(images.device)
    # Images of one operation are processed together: sort by operation, then split into groups.
    order = operations.argsort(stable=True)
    if device.type == "cuda":  # elsewhere the copy blocks the host
        order = order.pin_memory().to(images.device, non_blocking=True)
    order = order.to(images.device)
    sizes = operations.bincount(minlength=len(OPERATIONS)).tolist()
    is_float = images.is_floating_point()
    pixels = (images * 255).round().to(torch.uint8) if is_float else images
    pieces = torch.split(pixels[order], sizes), torch.split(strengths[order], sizes)
    groups = zip(OPERATIONS.values(), *pieces, strict=True)
    varied = torch.empty_like(pixels)
    varied[order] = torch.cat([apply(group, strength) for apply, group, strength in groups])
    return (varied.to(images.dtype) / 255 if is_float else varied), targets
