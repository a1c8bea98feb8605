"""Where the images of a split lie while they are worked with: on the device, if they fit."""

from __future__ import annotations

import errno
import math
import os
import tempfile
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from smallvision.compute.memory import measure_memory
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.cache import cache_folder
from smallvision.records.files import make_folder
from smallvision.shapes import Images, Indices

SHARE = 0.5  # of a memory that images may take; the rest is for the network and its batches
CHUNK = 4096  # images copied at a time


def place_images(parts: Sequence[tuple[ImageSet, Indices]], device: str) -> tuple[Tensor, Tensor]:
    """Bring the images at some indices, part by part, to where they can be gathered from.

    They lie on the device if they take less than half of its memory, else in the memory of the
    machine if they take less than half of that, else in a file that is mapped into it. Gathering
    gives the same wherever they lie.

    Args:
        parts: sets of images of one shape, each with the indices that are wanted.
        device: where the labels are to be, and the images if they fit.

    Returns: images uint8 `(n, C, H, W)`, and labels int64 `(n,)` on the device.

    Raises:
        OSError: there is no room for the file.
    """
    labels = torch.from_numpy(np.concatenate([part.labels[indices] for part, indices in parts]))
    shape = parts[0][0].shape
    size = len(labels) * math.prod(shape)
    make = np.empty if fits(size, "cpu") else map_file
    pixels = make((len(labels), *shape), np.uint8)
    start = 0
    for part, indices in parts:
        for first in range(0, len(indices), CHUNK):
            chunk = indices[first : first + CHUNK]
            pixels[start : start + len(chunk)] = part.images[chunk]
            start += len(chunk)
    place = device if fits(size, device) else "cpu"
    return torch.from_numpy(pixels).to(place), labels.to(device)


def fits(size: int, device: str) -> bool:
    """Whether images of so many bytes may lie in the memory of a device."""
    return size <= SHARE * measure_memory(device)


def map_file(shape: tuple[int, ...], dtype: type[np.uint8]) -> Images:
    """An array in a file without a name: the system takes it back with the process."""
    with tempfile.TemporaryFile(dir=make_folder(cache_folder())) as file:
        reserve(file.fileno(), max(1, math.prod(shape)))
        return np.memmap(file, dtype, "w+", shape=shape).view(np.ndarray)


def reserve(descriptor: int, size: int) -> None:
    """Claim the room that a file is to take; a disk found full later would end the process.

    Raises:
        OSError: there is no such room.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:
        pass  # macOS and Windows have no such call
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise  # others come of file systems that cannot claim room
