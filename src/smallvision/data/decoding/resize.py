"""Pictures of any size become one array of images with the same channels, height and width."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageOps

from smallvision.errors import DataError
from smallvision.shapes import MAX_SIZE, MIN_SIZE, Images, Shape

DEFAULT_SIZE = 32  # pixels a side, where sizes differ and the user asked for none


def resize_pictures(
    pictures: Iterable[Image.Image], *, image_size: int | None = None, shape: Shape | None = None
) -> tuple[Images, tuple[str, ...]]:
    """Stack pictures into one array; where sizes differ, resize the shorter side and crop.

    Without `shape`, the pictures determine it: they keep one channel if all are grey, and they keep
    their size if it is the same for all and from 8 to 96 pixels a side.

    Args:
        pictures: mode "L" or "RGB".
        image_size: pixels a side, or None for 32 where resizing is needed.
        shape: `(C, H, W)` of the training images, or None for the training images themselves.

    Returns: uint8 `(N, C, H, W)`, and a sentence about each kind of change.

    Raises:
        DataError: there are no pictures, or `image_size` is not 8 to 96.
    """
    size = _choose_size(image_size, shape)
    kept, resized = [], 0
    for picture in pictures:
        # Pictures that cannot keep their size are resized at once, because thousands of
        # photographs fit in memory only as thumbnails.
        target = size or (picture.size if _in_range(picture) else (DEFAULT_SIZE, DEFAULT_SIZE))
        resized += picture.size != target
        kept.append(_fit(picture, target))
    if not kept:
        raise DataError("there are no images")
    if size is None and (resized or len({picture.size for picture in kept}) > 1):
        size = (DEFAULT_SIZE, DEFAULT_SIZE)
        resized += sum(picture.size != size for picture in kept)
        kept = [_fit(picture, size) for picture in kept]
    return _stack(kept, shape, resized)


def _choose_size(image_size: int | None, shape: Shape | None) -> tuple[int, int] | None:
    """`(W, H)` if it is known before any picture is read."""
    if shape is not None:
        return shape[2], shape[1]
    if image_size is None:
        return None
    if not MIN_SIZE <= image_size <= MAX_SIZE:
        raise DataError(f"image_size is {image_size}; expected {MIN_SIZE} to {MAX_SIZE} pixels")
    return image_size, image_size


def _in_range(picture: Image.Image) -> bool:
    return all(MIN_SIZE <= side <= MAX_SIZE for side in picture.size)


def _fit(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resize the shorter side with antialiasing, then crop the longer one to its centre."""
    if picture.size == size:
        return picture
    return ImageOps.fit(picture, size, method=Image.Resampling.BICUBIC)


def _stack(
    pictures: list[Image.Image], shape: Shape | None, resized: int
) -> tuple[Images, tuple[str, ...]]:
    coloured = sum(picture.mode == "RGB" for picture in pictures)
    C = shape[0] if shape else (3 if coloured else 1)
    W, H = pictures[0].size
    mode = {1: "L", 3: "RGB"}[C]
    images = np.empty((len(pictures), C, H, W), dtype=np.uint8)
    for image, picture in zip(images, pictures, strict=True):
        pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
        image[:] = pixels.reshape(H, W, C).transpose(2, 0, 1)
    converted = coloured if C == 1 else len(pictures) - coloured
    return images, _describe(len(pictures), resized, converted, C, (H, W))


def _describe(
    total: int, resized: int, converted: int, C: int, size: tuple[int, int]
) -> tuple[str, ...]:
    notes = []
    if resized:
        notes.append(
            f"{resized:,} of {total:,} images were resized and cropped to "
            f"{size[0]}x{size[1]} pixels."
        )
    if converted:
        kind = {1: "colour images were made grey", 3: "grey images were stored as colour"}[C]
        notes.append(f"{converted:,} of {total:,} {kind}, like the rest.")
    return tuple(notes)
