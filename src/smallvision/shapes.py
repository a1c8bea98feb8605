"""The letters and array types that every room uses.

Legend: N examples, C channels, H height, W width, K classes, M ensemble members.
Images are uint8 `(N, C, H, W)` until a batch is normalised; labels are int64 `(N,)`;
targets are float `(N, K)` rows that sum to one.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Images: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.floating]
Indices: TypeAlias = npt.NDArray[np.int64]
Origins: TypeAlias = npt.NDArray[np.uint8]  # (N, 32), a SHA-256 for each image
Shape: TypeAlias = tuple[int, int, int]  # C, H, W
Fit: TypeAlias = Literal["crop", "pad", "stretch"]  # of a picture into another shape


class Slices(Protocol):
    """Rows of which stretches are read: an array, or what lies in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """`(N, ...)`."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> npt.NDArray[Any]: ...


MIN_SIZE, MAX_SIZE = 8, 224  # pixels a side
LARGE = 48  # pixels a side above which the first convolution of networks has stride 2, for the cost
MIN_CLASSES, MAX_CLASSES = 2, 1000
MAX_NAME = 255  # characters of the name of a class or a run
