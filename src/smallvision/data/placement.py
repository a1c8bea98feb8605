"""Where the images of a split lie while they are worked with: on the device, if they fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from smallvision.compute.memory import measure_memory
from smallvision.data.imageset import ImageSet
from smallvision.data.storage.room import count_chunk, fits_memory
from smallvision.data.storage.stored_images import ImageRows, StoredImages
from smallvision.shapes import Indices

SHARE = 0.5  # of a memory that images may take; the rest is for the network and its batches

PlacedImages: TypeAlias = Tensor | StoredImages  # uint8 `(N, C, H, W)`


def place_images(
    parts: Sequence[tuple[ImageSet, Indices]], device: str
) -> tuple[PlacedImages, Tensor]:
    """Bring the images at some indices, part by part, to where they can be gathered from.

    They lie on the device if they take less than half of its memory; else in the memory of the
    machine if they take less than a sixth of the working set; else in the file where they are.
    Gathering gives the same wherever they lie.

    Args:
        parts: sets of images of one shape, each with the indices that are wanted.
        device: where the labels are to be, and the images if they fit.

    Returns: images uint8 `(n, C, H, W)`, and labels int64 `(n,)` on the device.

    Raises:
        DataError: there is no room for a file that holds several sets.
    """
    labels = torch.from_numpy(np.concatenate([part.labels[indices] for part, indices in parts]))
    shape = (len(labels), *parts[0][0].shape)
    place = choose_place(math.prod(shape), device)
    if place is None:
        return _store(parts, shape), labels.to(device)
    pixels = torch.empty(shape, dtype=torch.uint8, device=place)
    start = 0
    for part, indices in parts:
        for chunk in _split(indices, shape):
            some = torch.from_numpy(part.images[chunk])
            pixels[start : start + len(chunk)] = some.to(place)
            start += len(chunk)
    return pixels, labels.to(device)


def choose_place(size: int, device: str) -> str | None:
    """The device that images of so many bytes may lie on; None for a file."""
    if device != "cpu" and fits(size, device):
        return device
    return "cpu" if fits_memory(size) and fits(size, "cpu") else None


def fits(size: int, device: str) -> bool:
    """Whether images of so many bytes may lie in the memory of a device."""
    return size <= SHARE * measure_memory(device)


def gather(images: PlacedImages, picks: Tensor | slice, device: torch.device | str) -> Tensor:
    """Some images on a device.

    Args:
        images: wherever they lie.
        picks: which of them, int64 `(n,)`, or a stretch.
        device: where they are to be.
    """
    if isinstance(images, StoredImages):
        chosen = picks if isinstance(picks, slice) else picks.cpu().numpy()
        return torch.from_numpy(images[chosen]).to(device)
    return images[picks if isinstance(picks, slice) else picks.to(images.device)].to(device)


def fetch_rows(images: PlacedImages) -> ImageRows:
    """Placed images for what computes without torch."""
    return images if isinstance(images, StoredImages) else images.cpu().numpy()


def _split(indices: Indices, shape: tuple[int, ...]) -> Sequence[Indices]:
    count = count_chunk(math.prod(shape[1:]))
    return [indices[first : first + count] for first in range(0, len(indices), count)]


def _store(parts: Sequence[tuple[ImageSet, Indices]], shape: tuple[int, ...]) -> StoredImages:
    """The images in one file: that which they lie in, or another that they are copied to."""
    stored = [
        part.images.take(indices)
        for part, indices in parts
        if isinstance(part.images, StoredImages)
    ]
    if len(stored) == len(parts) and all(map(stored[0].shares_file, stored)):
        return stored[0].join(stored[1:])
    copied = StoredImages.create(shape)
    start = 0
    for part, indices in parts:
        for chunk in _split(indices, shape):
            copied[start : start + len(chunk)] = part.images[chunk]
            start += len(chunk)
    return copied
