"""Thumbnails by which images are compared, and from which likeness two are near-duplicates.

The similarity of two images is the correlation of their band-passed thumbnails: 16x16 pixels minus
the same image at 4x4, over all channels. Brightness, contrast and a shift by half a pixel hardly
change it, and a bright sky over a dark sea does not raise it. Candidates are chosen by the same
measure on smaller thumbnails.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from smallvision.data.storage.stored_images import ImageRows

COARSE, FINE = 8, 16  # pixels a side of the thumbnails for the search, and for the comparison
CANDIDATES = 8  # images that each image is compared with
MIN_SIDE = 24  # pixels a side; smaller images of different objects can look the same
# Of 2,000 validation images of CIFAR-10, 24 are at least this similar to a training image; 23 of
# these show the same object at the same moment, mostly in the same picture. Less similar images may
# show different ships. Drawings and digits resemble each other without being copies; their single
# channel tells them from photographs.
ALIKE = 0.85  # similarity of near-duplicates
CHUNK = 500  # images at a time
BLOCK = 65_536  # images whose thumbnails are in memory at a time, in 300 MB


Vectors: TypeAlias = npt.NDArray[Any]
Matrix: TypeAlias = npt.NDArray[np.float64]


def can_compare(images: ImageRows) -> bool:
    """Whether images are of a kind that can be compared: in colour, 24 pixels a side or more."""
    C, *sides = images.shape[1:]
    return bool(C == 3 and min(sides) >= MIN_SIDE)


def shrink(images: ImageRows, side: int, dtype: npt.DTypeLike = np.float32) -> Vectors:
    """Band-passed thumbnails as vectors of length 1, `(N, C * side * side)`.

    The vector of an image of one colour is 0.

    Args:
        images: uint8 `(N, C, H, W)`, 16 pixels a side or more.
        side: of the thumbnails.
        dtype: of the vectors: float32 or float64.
    """
    H, W = images.shape[2:]
    pools = [pool_matrix(size, side).astype(dtype) for size in (H, W)]
    rough = [
        (enlarge_matrix(side // 4, side) @ pool_matrix(size, side // 4)).astype(dtype)
        for size in (H, W)
    ]
    thumbnails = np.empty((len(images), images.shape[1] * side**2), dtype)
    for start in range(0, len(images), CHUNK):
        pixels = images[start : start + CHUNK].astype(dtype)
        bands = pools[0] @ pixels @ pools[1].T - rough[0] @ pixels @ rough[1].T
        vectors = bands.reshape(len(pixels), -1)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        thumbnails[start : start + len(vectors)] = vectors / np.maximum(norms, 1)
    return thumbnails


def pool_matrix(size: int, side: int) -> Matrix:
    """Maps `size` pixels to the means of `side` stretches that cover them, `(side, size)`."""
    first = np.arange(side) * size // side
    end = -(-np.arange(1, side + 1) * size // side)
    places = np.arange(size)
    inside = (places >= first[:, None]) & (places < end[:, None])
    return np.asarray(inside / inside.sum(axis=1, keepdims=True))


def enlarge_matrix(size: int, side: int) -> Matrix:
    """Maps `size` pixels to `side` by linear interpolation between their centres."""
    centres = ((np.arange(side) + 0.5) * size / side - 0.5).clip(0, size - 1)
    return np.asarray(np.maximum(0, 1 - np.abs(centres[:, None] - np.arange(size))))
