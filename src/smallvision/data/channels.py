"""Pixel statistics per channel, exact, from counts of each byte value."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from smallvision.data.storage.room import count_chunk
from smallvision.data.storage.stored_images import ImageRows
from smallvision.shapes import Indices


def count_levels(images: ImageRows, indices: Indices | None = None) -> npt.NDArray[np.int64]:
    """How often each byte value occurs in each channel.

    Args:
        images: uint8 `(N, C, H, W)`.
        indices: which images to count; None for all.

    Returns: int64 `(C, 256)`.
    """
    counts = np.zeros((images.shape[1], 256), dtype=np.int64)
    count = count_chunk(math.prod(images.shape[1:]))
    for start in range(0, len(images if indices is None else indices), count):
        some = slice(start, start + count)
        chunk = images[some] if indices is None else images[indices[some]]
        for channel in range(len(counts)):
            plane = Image.fromarray(chunk[:, channel].reshape(-1, chunk.shape[-1]))
            counts[channel] += plane.histogram()  # a third of the time of `np.bincount`
    return counts


def mean_and_std(counts: npt.NDArray[np.int64]) -> tuple[list[float], list[float]]:
    """Mean and population standard deviation of each channel, in units of [0, 1].

    A constant channel gets a deviation of one byte, so that nothing is divided by zero.

    Args:
        counts: int64 `(C, 256)` from `count_levels`.
    """
    levels = np.arange(256) / 255
    weights = counts / counts.sum(axis=1, keepdims=True)
    mean = weights @ levels
    variance = (weights * (levels - mean[:, None]) ** 2).sum(axis=1)
    return mean.tolist(), np.maximum(np.sqrt(variance), 1 / 255).tolist()
