"""Hiding a part of each image, so that a model learns to look at the rest."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def cutout(
    images: Tensor, targets: Tensor, generator: Generator, *, size: int = 8
) -> tuple[Tensor, Tensor]:
    """Paint a grey square over each image, centred anywhere, so it may hang over the border.

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
    top = torch.randint(H, (N, 1), generator=generator, device=device) - size // 2
    left = torch.randint(W, (N, 1), generator=generator, device=device) - size // 2
    rows, columns = torch.arange(H, device=device), torch.arange(W, device=device)
    in_rows = (rows >= top) & (rows < top + size)
    in_columns = (columns >= left) & (columns < left + size)
    hidden = (in_rows.unsqueeze(2) & in_columns.unsqueeze(1)).unsqueeze(1).to(images.device)
    grey = 0.5 if images.is_floating_point() else 128
    return images.masked_fill(hidden, grey), targets
