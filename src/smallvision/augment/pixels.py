"""From stored bytes to what a network sees."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def normalize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Scale bytes to [0, 1] and normalise each channel.

    Args:
        images: uint8 `(N, C, H, W)`.
        mean, std: C numbers measured on the training split, in units of [0, 1].

    Returns: float32 `(N, C, H, W)` in channels-last memory, which convolutions are fastest on.
    """
    scale = torch.tensor([1 / (255 * s) for s in std], device=images.device).view(1, -1, 1, 1)
    shift = torch.tensor(
        [-m / s for m, s in zip(mean, std, strict=True)], device=images.device
    ).view(1, -1, 1, 1)
    pixels = images.to(torch.float32, memory_format=torch.channels_last)
    return pixels.mul_(scale).add_(shift)
