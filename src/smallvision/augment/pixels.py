"""Normalisation: from stored bytes to the input of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Normalize = Callable[[Tensor], Tensor]


def build_normalizer(mean: Sequence[float], std: Sequence[float], device: str = "cpu") -> Normalize:
    """Build the function that scales bytes to [0, 1] and normalises each channel.

    The two constants are copied to the device once, because a copy per batch would make a GPU
    wait for the host at each step.

    Args:
        mean, std: C numbers measured on the training split, in units of [0, 1].
        device: where the images will be.

    Returns: a function from uint8 `(N, C, H, W)` to float32 of the same shape in channels-last
        memory, which convolutions are fastest on.
    """
    scale = torch.tensor([1 / (255 * s) for s in std], device=device).view(1, -1, 1, 1)
    shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)], device=device)
    shift = shift.view(1, -1, 1, 1)

    def normalize(images: Tensor) -> Tensor:
        pixels = images.to(torch.float32, memory_format=torch.channels_last)
        return pixels.mul_(scale).add_(shift)

    return normalize
