"""Images as rows of pixels, small enough to be compared with each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallvision.data.alike.thumbnails import pool_matrix
from smallvision.data.storage.stored_images import ImageRows
from smallvision.shapes import Images

SIDE = 32  # pixels at most; larger images are reduced to the means of as many areas
CHUNK = 500  # images at a time


@dataclass(frozen=True, eq=False)
class PixelRows:
    """The pixels of each image in a row, uint8 `(N, D)`, at most 32 of them a side.

    They are made when they are asked for, since those of a large set do not fit in memory.

    Attributes:
        images: uint8 `(N, C, H, W)`.
    """

    images: ImageRows

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, D)`."""
        N, C, *sides = self.images.shape
        return N, C * math.prod(min(side, SIDE) for side in sides)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, key: slice) -> npt.NDArray[np.uint8]:
        return reduce_images(self.images[key]).reshape(-1, self.shape[1])


def reduce_images(images: Images) -> Images:
    """Images of at most 32 pixels a side, uint8 `(N, C, H, W)`; small ones as they are."""
    N, C, *sides = images.shape
    if max(sides) <= SIDE:
        return images
    rows, columns = (pool_matrix(side, min(side, SIDE)).astype(np.float32) for side in sides)
    reduced = np.empty((N, C, len(rows), len(columns)), dtype=np.uint8)
    for start in range(0, N, CHUNK):
        part = images[start : start + CHUNK].astype(np.float32)
        reduced[start : start + CHUNK] = np.rint(rows @ part @ columns.T)
    return reduced
