"""Flips and crops of whole batches, by index arithmetic, on any dtype and device."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def flip(
    images: Tensor, targets: Tensor, generator: Generator, *, probability: float = 0.5
) -> tuple[Tensor, Tensor]:
    """Mirror each image left to right with a probability of its own.

    Args:
        images: `(N, C, H, W)`, any dtype.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        probability: in [0, 1].
    """
    draw = torch.rand(len(images), generator=generator, device=generator.device)
    chosen = (draw < probability).to(images.device).view(-1, 1, 1, 1)
    return torch.where(chosen, images.flip(-1), images), targets


def crop(
    images: Tensor, targets: Tensor, generator: Generator, *, padding: int = 4
) -> tuple[Tensor, Tensor]:
    """Shift each image by up to `padding` pixels each way; mirrored pixels fill the border.

    This is pad-and-crop (He et al., arXiv 1512.03385, section 4.2) with reflection in place of
    black borders, done as one gather.

    Args:
        images: `(N, C, H, W)`, any dtype, in channels-last or contiguous memory.
        targets: `(N, K)`, returned as they are.
        generator: the only source of randomness.
        padding: pixels, at least 0 and below H and W.

    Returns: images of the same shape in channels-last memory, which the gather yields for free.
    """
    N, _, H, W = images.shape
    device = generator.device
    shifts = torch.randint(-padding, padding + 1, (2, N, 1), generator=generator, device=device)
    rows = _reflect(torch.arange(H, device=device) + shifts[0], H).to(images.device)
    columns = _reflect(torch.arange(W, device=device) + shifts[1], W).to(images.device)
    picks = torch.arange(N, device=images.device).view(N, 1, 1)
    gathered = images.permute(0, 2, 3, 1)[picks, rows.unsqueeze(2), columns.unsqueeze(1)]
    return gathered.permute(0, 3, 1, 2), targets


def _reflect(positions: Tensor, size: int) -> Tensor:
    """Fold positions that lie outside `0..size-1` back inside, mirrored at the edge pixel."""
    return (size - 1) - ((size - 1) - positions.abs()).abs()
