"""Arrays in memory, in any of the usual shapes and types and with any kind of label."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from smallvision.data.decoding.labels import LabelEncoding
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.source import DecodedPart, Layout, Part, ReadPart
from smallvision.errors import DataError
from smallvision.shapes import Images, Shape


def arrays_layout(given: Mapping[Part, tuple[Any, Any]], encoding: LabelEncoding) -> Layout:
    """Describe arrays that are in memory already.

    Args:
        given: images and labels of each part.
        encoding: of the labels, fitted to the training labels.
    """
    parts: dict[Part, ReadPart] = {
        part: partial(_read_part, part, images, labels, encoding)
        for part, (images, labels) in given.items()
    }
    return Layout("arrays", parts)


def _read_part(
    part: Part, images: Any, labels: Any, encoding: LabelEncoding, _: Shape | None
) -> DecodedPart:
    prefix = "" if part == "train" else f"{part}_"
    return convert_arrays(images, labels, encoding, (f"{prefix}images", f"{prefix}labels"))


def convert_arrays(
    images: Any, labels: Any, encoding: LabelEncoding, names: tuple[str, str]
) -> DecodedPart:
    """Check and convert a pair of arrays.

    Args:
        images: as for `from_arrays`.
        labels: as for `from_arrays`.
        encoding: of the labels, fitted to the training labels.
        names: what to call the images and the labels in an error.

    Raises:
        DataError: a shape, type or value is out of range, or the lengths differ.
    """
    pixels, note = _to_pixels(images, names[0])
    numbers = encoding.encode(labels, names[1])
    if len(pixels) != len(numbers):
        raise DataError(
            f"there are {len(pixels):,} {names[0]} but {len(numbers):,} {names[1]}; "
            "expected one label per image"
        )
    return DecodedPart(ImageSet(pixels, numbers, encoding.class_names), note)


def _to_pixels(values: Any, where: str) -> tuple[Images, tuple[str, ...]]:
    """Pixels as uint8 `(N, C, H, W)`: always a copy, because an `ImageSet` locks its arrays."""
    array = _channels_first(_as_array(values, where), where)
    kind = array.dtype.kind
    if kind not in "uif":
        raise DataError(f"{where} have type {array.dtype}; expected numbers")
    if array.size == 0:
        raise DataError(f"{where} have shape {array.shape}: there are no images")
    if not np.isfinite(array).all():
        raise DataError(f"{where} hold NaN or infinity; repair or remove those images")
    low, high = array.min(), array.max()
    limit = 1 if kind == "f" else 255
    if low < 0 or high > limit:
        raise DataError(
            f"{where} run from {low:g} to {high:g}; expected fractions from 0 to 1 "
            "or whole numbers from 0 to 255"
        )
    if kind == "f":
        levels = np.rint(np.multiply(array, 255, dtype=np.float32, casting="same_kind"))
        note = f"The {where} were fractions from 0 to 1 and became whole numbers from 0 to 255."
        return np.ascontiguousarray(levels, dtype=np.uint8), (note,)
    return array.astype(np.uint8, order="C", copy=True), ()


def _as_array(values: Any, where: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where} do not form one array ({error})") from error


def _channels_first(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Images as `(N, C, H, W)`; a side is never as small as 3 pixels, so C can be recognized."""
    if array.ndim == 3:
        return array[:, None]
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return array
    if array.ndim == 4 and array.shape[3] in (1, 3):
        return array.transpose(0, 3, 1, 2)
    raise DataError(
        f"{where} have shape {array.shape}; "
        "expected (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels"
    )
