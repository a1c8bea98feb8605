"""An `ImageSet`: images, labels and class names, checked once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from smallvision.data.storage.stored_images import ImageRows, iterate_chunks, take_images
from smallvision.errors import DataError
from smallvision.shapes import (
    MAX_CLASSES,
    MAX_NAME,
    MAX_SIZE,
    MIN_CLASSES,
    MIN_SIZE,
    Indices,
    Labels,
)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with labels, checked once on construction and read-only from then on.

    Args:
        images: uint8 `(N, C, H, W)`, C is 1 or 3, H and W from 8 to 224 pixels; in memory, or in a
            file if they take more than a sixth of the working set.
        labels: int64 `(N,)` in `[0, K)`.
        class_names: K unique names of 1 to 255 characters; `class_names[label]` is what people
            read.
        files: N texts, what the file of each image is called inside the source; None where images
            are no files.

    Raises:
        DataError: a shape, dtype or label is out of range.

    >>> import smallvision as sv
    >>> images = sv.load_data("digits").train
    >>> len(images), images.shape, images.num_classes
    (1438, (1, 8, 8), 10)
    >>> images.take([0, 1]).images.shape
    (2, 1, 8, 8)
    """

    images: ImageRows
    labels: Labels
    class_names: tuple[str, ...]
    files: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        images, labels, K = self.images, self.labels, len(self.class_names)
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] not in (1, 3):
            raise DataError(
                f"images have shape {images.shape} and type {images.dtype}; "
                "expected uint8 (N, C, H, W) with 1 or 3 channels"
            )
        if not all(MIN_SIZE <= side <= MAX_SIZE for side in images.shape[2:]):
            raise DataError(
                f"images are {images.shape[3]}x{images.shape[2]} pixels; "
                f"expected {MIN_SIZE} to {MAX_SIZE} pixels a side"
            )
        if labels.shape != (len(images),) or labels.dtype != np.int64:
            raise DataError(
                f"labels have shape {labels.shape} and type {labels.dtype}; "
                f"expected int64 ({len(images)},), one per image"
            )
        if self.files is not None and len(self.files) != len(images):
            raise DataError(f"{len(self.files)} names of files for {len(images)} images")
        if len(images) == 0:
            raise DataError("the data set holds no images")
        try:
            "".join(self.class_names).encode()
        except UnicodeEncodeError as error:
            raise DataError("a class name is no valid text; rename its folder") from error
        if not all(1 <= len(name) <= MAX_NAME for name in self.class_names):
            raise DataError(f"a class name is empty or beyond {MAX_NAME} characters; rename it")
        if K == 1:
            raise DataError(f"there is one class, '{self.class_names[0]}'; expected two or more")
        if not MIN_CLASSES <= K <= MAX_CLASSES or len(set(self.class_names)) != K:
            raise DataError(
                f"{K} class names ({len(set(self.class_names))} distinct); "
                f"expected {MIN_CLASSES} to {MAX_CLASSES} distinct names"
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= K:
            raise DataError(f"labels run from {low} to {high}; expected 0 to {K - 1} ({K} classes)")
        for array in (images, labels):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        _, C, H, W = self.images.shape
        colour = {1: "grey", 3: "colour"}[C]
        return f"ImageSet({len(self):,} {colour} images, {W}x{H}, {self.num_classes} classes)"

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(C, H, W)` of one image."""
        _, C, H, W = self.images.shape
        return C, H, W

    @cached_property
    def counts(self) -> Labels:
        """Images per class, int64 `(K,)`."""
        return np.bincount(self.labels, minlength=self.num_classes).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shape, pixels, labels and class names: the identity of the content."""
        digest = hashlib.sha256(repr((self.images.shape, self.class_names)).encode())
        for _, chunk in iterate_chunks(self.images):
            digest.update(np.ascontiguousarray(chunk).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return f"sha256:{digest.hexdigest()}"

    def take(self, indices: Indices) -> ImageSet:
        """The images at `indices`, as a set of its own."""
        images, files = take_images(self.images, indices), self.files
        taken = None if files is None else tuple(files[i] for i in indices.tolist())
        return ImageSet(images, self.labels[indices], self.class_names, taken)

    def name_file(self, position: int) -> str | None:
        """What the file of the image at a position is called; None where it is no file."""
        return None if self.files is None else self.files[position]
