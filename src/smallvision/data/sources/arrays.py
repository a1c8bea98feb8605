"""Images in memory: arrays in any usual shape and type, or one object for each image.

Everything that takes images from Python converts them here: `load_data`, `from_arrays`, `.npz`
files, `classify` and `SavedModel.predict`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from smallvision.data.decoding.formats.pixel_rows import tell_shape
from smallvision.data.decoding.image import decode, read_size, simplify_picture
from smallvision.data.decoding.image_files import read_picture
from smallvision.data.decoding.labels import LabelEncoding, as_array, fetch_tensor
from smallvision.data.decoding.npz_file import ArrayRows
from smallvision.data.decoding.pixels.decoded import DEEPEST, Decoded, count_bits, reduce_depth
from smallvision.data.decoding.resize import (
    KEPT_SIZE,
    OriginalSizes,
    Preparation,
    Stack,
    Stacked,
)
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.pictures.reading import UNREADABLE, allow_unreadable, spread
from smallvision.data.sources.source import DecodedPart, LeftOut, SourceOptions
from smallvision.data.storage.room import count_chunk
from smallvision.data.storage.stored_images import ImageRows, StoredImages, make_images
from smallvision.errors import DataError
from smallvision.shapes import MIN_SIZE, Images, Labels, Shape

TOLERANCE = 0.05  # of the range, by which resized or compressed fractions overshoot it
DARK = 64  # levels of 255: an image set that reaches no more may have been meant on another scale


@dataclass
class PixelScale:
    """Which number is white: found in the training images, and the same for the other parts.

    Attributes:
        fractions: 1 or 255, for images of floating-point numbers; None until it is found.
        bits: 8 to 16, for images of 16-bit numbers; None until it is found.
    """

    fractions: int | None = None
    bits: int | None = None

    def fit(self, kind: np.dtype[Any], low: float, high: float) -> int:
        """The number that is white in images of a type with such values."""
        if kind.kind == "b":
            return 1
        if kind.kind == "f":
            if self.fractions is None:
                self.fractions = 1 if high <= 1 + TOLERANCE and low >= -TOLERANCE else 255
            return self.fractions
        if kind == np.uint16:
            if self.bits is None:
                self.bits = count_bits(int(high))
            return int(2**self.bits - 1)
        return 255


@dataclass(frozen=True, eq=False)
class Taken:
    """Images that were in memory.

    Attributes:
        stacked: the images, how they became so, and a sentence about each kind of change.
        kept: the positions of these images among all; None for all of them.
        left_out: the others.
    """

    stacked: Stacked
    kept: Sequence[int] | None = None
    left_out: tuple[LeftOut, ...] = ()


def convert_arrays(
    images: Any,
    labels: Any,
    encoding: LabelEncoding,
    names: tuple[str, str],
    scale: PixelScale | None = None,
) -> DecodedPart:
    """Check and convert a pair of arrays.

    Args:
        images: as for `from_arrays`, or the rows of an array in a file.
        labels: as for `from_arrays`.
        encoding: of the labels, fitted to the training labels.
        names: what to call the images and the labels in an error.
        scale: of the training images, or None to find it in these.

    Raises:
        DataError: a shape, type or value is out of range, or the lengths differ.
    """
    taken = take_images(images, names[0], scale or PixelScale())
    return pair_up(taken, encoding.encode(labels, names[1]), encoding.class_names, names)


def pair_up(
    taken: Taken, labels: Labels, class_names: tuple[str, ...], names: tuple[str, str]
) -> DecodedPart:
    """Images with their labels.

    Args:
        taken: the images.
        labels: int64, one for each of the images that are kept and those that are not.
        class_names: K names.
        names: what to call the images and the labels in an error.

    Raises:
        DataError: the lengths differ.
    """
    pixels = taken.stacked.images
    total = len(pixels) + sum(one.count for one in taken.left_out)
    if total != len(labels):
        raise DataError(
            f"there are {total:,} {names[0]} but {len(labels):,} {names[1]}; "
            "expected one label per image"
        )
    kept = labels if taken.kept is None else labels[list(taken.kept)]
    return DecodedPart(
        ImageSet(pixels, kept, class_names),
        taken.stacked.notes,
        taken.left_out,
        preparation=taken.stacked.preparation,
        sizes=None if taken.kept is None else taken.stacked.sizes,
    )


def take_images(
    values: Any,
    where: str,
    scale: PixelScale,
    *,
    options: SourceOptions = SourceOptions(),
    like: Preparation | None = None,
    lenient: bool = False,
) -> Taken:
    """Images in memory as uint8 `(N, C, H, W)`: always a copy.

    Arrays keep their size where a model can take it, unless another is asked for. One object for
    each image may have any size, and is resized as picture files are; as with files, a few that
    cannot be read are left out.

    Args:
        values: an array or tensor `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`, or a sequence of
            pictures, arrays, paths or encoded pictures.
        where: what to call them in an error.
        scale: of the training images, which these may be.
        options: of the user: `image_size`, `fit` and `strict` apply.
        like: the preparation of the training images, for other parts.
        lenient: bring arrays of another shape to that of `like`, a single image too, and leave out
            any number of unreadable images, if not all are.

    Raises:
        DataError: they have no usual shape, type or range.
    """
    if not isinstance(values, ArrayRows) and holds_items(values):
        items = values if isinstance(values, Sequence) else list(values)
        return ItemReader(items, where, scale).take(options, like, lenient=lenient)
    array = values if isinstance(values, ArrayRows) else as_array(values, where)
    if lenient and like is not None and not isinstance(array, ArrayRows):
        array = array[None] if _is_single(array, like.shape) else array
    pixels, notes = _convert_array(array, where, scale)
    fits = all(MIN_SIZE <= side <= KEPT_SIZE for side in pixels.shape[2:])
    differs = lenient and like is not None and pixels.shape[1:] != like.shape
    if fits and options.image_size is None and not differs:
        _, C, H, W = pixels.shape
        made = Preparation((C, H, W), bits=scale.bits or DEEPEST)
        return Taken(Stacked(pixels, made, OriginalSizes(1, (W, H), (W, H), (W, H)), notes))
    H, W = pixels.shape[2:]
    stack = Stack(len(pixels), [(W, H)], options.image_size, options.fit, like)
    for one in pixels:
        stack.add(_as_decoded(one.transpose(1, 2, 0)))
    stacked = stack.finish()
    made = replace(stacked.preparation, bits=scale.bits or DEEPEST)
    return Taken(replace(stacked, preparation=made, notes=notes + stacked.notes))


def to_model_images(values: Any, where: str, shape: Shape, bits: int = DEEPEST) -> ImageRows:
    """Images in memory as a model of one shape takes them, uint8 `(N, C, H, W)`.

    Of the usual forms of `take_images`; a single image counts as one of one. What is uint8 and of
    the shape already is passed on as it is.

    Args:
        values: the images.
        where: what to call them in an error.
        shape: `(C, H, W)` of the model.
        bits: of values of 16 bits, how many held the largest value of the training images.

    Raises:
        DataError: they have no usual form, or another number of channels or pixels.
    """
    known = isinstance(values, np.ndarray | StoredImages)
    if known and values.dtype == np.uint8 and values.shape[1:] == shape:
        return values  # type: ignore[no-any-return]
    if isinstance(values, Image.Image | str | PathLike | bytes):
        values = [values]
    scale = PixelScale(bits=bits)
    if holds_items(values):
        reader = ItemReader(list(values), where, scale)
        pictures = [_reduce(one, bits) for one in reader.read()]
        reader.finish()
        found: object = next((one.shape for one in pictures if one.shape != shape), None)
        if found is None:
            return np.stack(pictures)
    else:
        array = as_array(values, where)
        if array.dtype == np.uint16 and bits == DEEPEST and array.max(initial=0) <= 255:
            array = array.astype(np.uint8)  # as no picture of 16 bits is that dark
        if _is_single(array, shape):
            array = array[None]
        pixels, _ = _convert_array(array, where, scale)
        if pixels.shape[1:] == shape:
            return pixels
        found = array.shape
    raise DataError(
        f"{where} have shape {found}; this model was trained on (N, {', '.join(map(str, shape))}): "
        "sv.classify(model, images) resizes them"
    )


def _reduce(picture: Decoded, bits: int) -> Images:
    """A picture as uint8 `(C, H, W)`."""
    if picture.peak is not None and bits == DEEPEST and picture.peak <= 255:
        bits = 8
    small = picture.reduce(bits)
    return np.asarray(small, dtype=np.uint8).reshape(*small.size[::-1], -1).transpose(2, 0, 1)


def _is_single(array: npt.NDArray[Any], shape: Shape) -> bool:
    """Whether an array is one image, for a model of some shape, and not several of them.

    Three grey images and one of three channels may look alike: the channels of the model decide.
    """
    if array.ndim != 3:
        return array.ndim == 2 and array.shape[1] != math.prod(shape)
    if array.shape[1:] == shape[1:] and shape[0] == 1:
        return False
    return array.shape[2] in (1, 3, 4) or array.shape[0] == shape[0]


def holds_items(values: Any) -> bool:
    """Whether there is an object for each image, such as a picture or an array, and not one array.

    Nested lists of numbers are an array.
    """
    if isinstance(values, np.ndarray):
        return values.ndim == 1 and values.dtype.kind in "OSU"
    if hasattr(values, "shape"):  # a tensor, a table of pixels, or a column of a table
        kind = str(getattr(values, "dtype", ""))
        return kind in ("object", "str", "string") and len(values.shape) == 1
    if not isinstance(values, Sequence) and not hasattr(values, "__getitem__"):
        return False
    if not len(values):
        return False
    first = values[0]
    return not isinstance(first, list | int | float | bool | np.generic)


def _convert_array(
    given: npt.NDArray[Any] | ArrayRows, where: str, scale: PixelScale
) -> tuple[ImageRows, tuple[str, ...]]:
    """An array of images as uint8 `(N, C, H, W)`, in C order, with the notes about its values."""
    # Of the same shape, without memory for its values.
    array, note = _unflatten(np.broadcast_to(np.zeros((), given.dtype), given.shape), where)
    array = _channels_first(array, where)
    if array.dtype.kind not in "buif":
        raise DataError(f"{where} have type {array.dtype}; expected numbers")
    if array.size == 0:
        raise DataError(f"{where} have shape {array.shape}: there are no images")
    # What is white in whole numbers of 8 bits is known before they are read.
    seen = _measure(given, where) if array.dtype.kind == "f" or array.dtype == np.uint16 else None
    white = scale.fit(array.dtype, *(seen or (0, 0)))
    if seen is not None:
        check_range(where, array.dtype, white, seen)
    C = array.shape[1]
    pixels = make_images((len(array), 3 if C == 4 else C, *array.shape[2:]))
    low, high, start = math.inf, -math.inf, 0
    for chunk in _iterate(given):
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
        levels = to_levels(_channels_first(_unflatten(chunk, where)[0], where), white)
        pixels[start : start + len(chunk)] = _lay_on_white(levels) if C == 4 else levels
        start += len(chunk)
    check_range(where, array.dtype, white, (low, high))
    notes = note + describe_scale(where, array.dtype, white, (low, high))
    if C == 4:
        notes += (f"Transparent parts of the {where} became white.",)
    return pixels, notes


def _iterate(given: npt.NDArray[Any] | ArrayRows) -> Iterator[npt.NDArray[Any]]:
    """Yield an array in stretches that take little memory."""
    count = count_chunk(math.prod(given.shape[1:]) * given.dtype.itemsize)
    if isinstance(given, ArrayRows):
        yield from given.iterate(count)
    else:
        for start in range(0, len(given), count):
            yield given[start : start + count]


def _measure(given: npt.NDArray[Any] | ArrayRows, where: str) -> tuple[float, float]:
    """The range of the values of an array.

    Raises:
        DataError: some are no numbers.
    """
    low, high = math.inf, -math.inf
    for chunk in _iterate(given):
        lowest, highest = float(chunk.min()), float(chunk.max())
        if not math.isfinite(highest - lowest):
            raise DataError(f"{where} hold NaN or infinity; repair or remove those images")
        low, high = min(low, lowest), max(high, highest)
    return low, high


def check_range(where: str, kind: np.dtype[Any], white: int, seen: tuple[float, float]) -> None:
    """Refuse values outside the range from black to white.

    Values of 16 bits above white become white, as they do in files.

    Raises:
        DataError: there are some.
    """
    slack = TOLERANCE if kind.kind == "f" else 0
    low, high = seen
    if kind == np.uint16:
        return
    if low >= -slack * min(white, high) and high <= (1 + slack) * white:
        return
    hint = "fractions from 0 to 1 or whole numbers from 0 to 255"
    if kind.kind == "f" and low < 0:
        hint += "; where a transform normalises them, leave Normalize out, or take it back"
    elif kind.kind in "iu" and low >= 0 and high <= 65_535:
        hint += ", or uint16 for images of 16 bits in a training set"
    raise DataError(f"{where} run from {low:g} to {high:g}; expected {hint}")


def to_levels(values: npt.NDArray[Any], white: int) -> npt.NDArray[np.uint8]:
    """Values from 0 to white as levels from 0 to 255, in the same shape."""
    if values.dtype.kind in "iu" and white == 255:
        return values.astype(np.uint8)
    if values.dtype == np.uint16:
        return reduce_depth(values, white.bit_length())
    levels: npt.NDArray[np.float32] = np.multiply(
        values, 255 / white, dtype=np.float32, casting="unsafe"
    )
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def describe_scale(
    where: str, kind: np.dtype[Any], white: int, seen: tuple[float, float]
) -> tuple[str, ...]:
    """What was done to values, where a person should know it."""
    low, high = seen
    notes = []
    if kind.kind == "f" and white == 1:
        notes.append(
            f"The {where} were fractions from 0 to 1 and became whole numbers from 0 to 255."
        )
    elif kind.kind == "f":
        notes.append(
            f"The {where} were floating-point numbers and became whole numbers from 0 to 255."
        )
    elif white > 255:
        notes.append(
            f"The {where} have values of 16 bits, up to {high:,.0f}; they were scaled from "
            f"{white.bit_length()} bits to 8."
        )
    if kind.kind == "f" and (low < 0 or high > white):
        notes.append(f"Values of the {where} from {low:g} to {high:g} were cut to 0 and {white}.")
    if white == 255 and 0 < high < DARK:
        notes.append(
            f"The {where} run to {high:g}, where 255 is white, and are dark; multiply them if "
            f"{high:g} should be white."
        )
    return tuple(notes)


def _unflatten(array: npt.NDArray[Any], where: str) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Images from flat rows of pixels, where the length of a row tells their shape."""
    shape = tell_shape(array.shape[1]) if array.ndim == 2 else None
    if shape is None:
        return array, ()
    C, side, _ = shape
    order = "" if C == 1 else ", all red pixels of an image first, as in CIFAR"
    note = f"The rows of {where} were taken for images of {side}x{side} pixels{order}."
    return array.reshape(-1, *shape), (note,)


def _channels_first(array: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Images as `(N, C, H, W)`; a side is never as small as 4 pixels, so C can be recognized."""
    if array.ndim == 3:
        return array[:, None]
    for channels in ((1, 3), (4,)):
        if array.ndim == 4 and array.shape[1] in channels:
            return array
        if array.ndim == 4 and array.shape[3] in channels:
            return array.transpose(0, 3, 1, 2)
    raise DataError(
        f"{where} have shape {array.shape}; "
        "expected (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels"
    )


def _lay_on_white(levels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Colours with a fourth channel of opacity `(N, 4, H, W)` on white, `(N, 3, H, W)`."""
    opacity = levels[:, 3:].astype(np.float32) / 255
    return np.rint(levels[:, :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)


def _as_decoded(pixels: npt.NDArray[Any]) -> Decoded:
    """One image `(H, W)`, `(H, W, 1)` or `(H, W, 3)` of uint8, or of uint16 that is not scaled."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    whole = pixels.ndim == 2 or pixels.dtype == np.uint8
    bands = [pixels] if whole else [*np.moveaxis(pixels, 2, 0)]
    pictures = tuple(Image.fromarray(np.ascontiguousarray(band)) for band in bands)
    peak = int(pixels.max()) if pixels.dtype == np.uint16 else None
    return Decoded(pictures, pictures[0].size, peak)


class ItemReader:
    """Reads one object for each image.

    Floating-point numbers show their range image by image, so that no second pass is needed.

    Args:
        items: pictures, arrays, tensors, paths, or encoded pictures, also in dicts as Hugging Face
            has them.
        where: what to call them in an error.
        scale: of the training images, which these may be.
    """

    def __init__(self, items: Sequence[Any], where: str, scale: PixelScale) -> None:
        self.items, self.where, self.scale = items, where, scale
        self._seen: dict[tuple[np.dtype[Any], int], tuple[float, float, int]] = {}

    def take(
        self, options: SourceOptions, like: Preparation | None, *, lenient: bool = False
    ) -> Taken:
        """All images as one array, without the few that cannot be read.

        Raises:
            DataError: more than three and more than one in a hundred cannot be read, or with
                `strict` any, or with `lenient` all.
        """
        n = len(self.items)
        sizes = () if like else [*self._list_sizes(spread(range(n)))]
        stack = Stack(n, sizes, options.image_size, options.fit, like)
        kept, failed = [], []
        for number in range(n):
            try:
                stack.add(self.convert(number, stack.side))
            except DataError as error:
                failed.append(error)
                continue
            kept.append(number)
        allowed = n if lenient else allow_unreadable(n, options)
        if failed and (len(failed) > allowed or not kept):
            more = f" (and {len(failed) - 1:,} more of {n:,} are unusable)" if failed[1:] else ""
            raise DataError(f"{failed[0]}{more}")
        notes = self.finish()
        stacked = stack.finish()
        left_out = [LeftOut(UNREADABLE, len(failed), str(failed[0]))] if failed else []
        return Taken(replace(stacked, notes=(*notes, *stacked.notes)), kept, tuple(left_out))

    def read(self) -> Iterator[Decoded]:
        """All pictures, in order.

        Raises:
            DataError: an item is no picture.
        """
        for number in range(len(self.items)):
            yield self.convert(number)

    def _list_sizes(self, numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
        for number in numbers:
            try:
                yield measure_item(self.items[number], self.where)
            except DataError:  # reported when all are read
                continue

    def convert(self, number: int, side: int | None = None) -> Decoded:
        """One item as a picture.

        Args:
            number: of the item.
            side: the larger side that is needed, for photographs in files.

        Raises:
            DataError: it is none.
        """
        name = f"{self.where}, number {number}"
        found = open_item(self.items[number], name, side)
        if isinstance(found, Decoded):
            return found
        array = _one_channels_last(found, name)
        low, high = float(array.min()), float(array.max())
        if not math.isfinite(high - low):
            raise DataError(f"{name} holds NaN or infinity; repair or remove it")
        if array.dtype == np.uint16 and (array.ndim == 2 or array.shape[2] == 3):
            return _as_decoded(array)
        white = self._find_white(array.dtype, (low, high))
        check_range(name, array.dtype, white, (low, high))
        if high > 0:
            before = self._seen.get((array.dtype, white), (low, high, number))
            self._seen[array.dtype, white] = (min(low, before[0]), max(high, before[1]), before[2])
        levels = to_levels(array, white)
        if levels.ndim == 3 and levels.shape[2] == 4:
            levels = _lay_on_white(levels.transpose(2, 0, 1)[None])[0].transpose(1, 2, 0)
        return _as_decoded(levels)

    def _find_white(self, kind: np.dtype[Any], seen: tuple[float, float]) -> int:
        if kind.kind == "f":
            return self.scale.fractions or PixelScale().fit(kind, *seen)
        return 65_535 if kind == np.uint16 else self.scale.fit(kind, *seen)

    def finish(self) -> tuple[str, ...]:
        """What was done to the values, once all items are read.

        Raises:
            DataError: some items have fractions from 0 to 1, and others go to 255.
        """
        floats = {white: seen for (kind, white), seen in self._seen.items() if kind.kind == "f"}
        if len(floats) > 1:
            raise DataError(
                f"{self.where}: number {floats[1][2]} runs to {floats[1][1]:g} and number "
                f"{floats[255][2]} to {floats[255][1]:g}; bring all to fractions from 0 to 1, or "
                "all to numbers from 0 to 255"
            )
        if floats:
            self.scale.fractions = next(iter(floats))
        return tuple(
            dict.fromkeys(
                note
                for (kind, white), (low, high, _) in self._seen.items()
                for note in describe_scale(self.where, kind, white, (low, high))
            )
        )


def measure_item(item: Any, name: str) -> tuple[int, int]:
    """`(width, height)` of one object.

    Raises:
        DataError: it is no picture.
    """
    if isinstance(item, Image.Image):
        return item.size
    content = _find_bytes(item)
    if content is not None:
        return read_size(content, name)
    found = open_item(item, name)
    if isinstance(found, Decoded):
        return found.size
    H, W = _one_channels_last(found, name).shape[:2]
    return W, H


def _find_bytes(item: Any) -> bytes | None:
    """The encoded picture of an item: its bytes, a file, or a dict of either; None of others."""
    if isinstance(item, Mapping) and "bytes" in item:  # as Hugging Face keeps encoded pictures
        item = item["bytes"] or item.get("path")
    if isinstance(item, str | PathLike):
        return read_picture(Path(item), str(item))
    return bytes(item) if isinstance(item, bytes | bytearray) else None


def open_item(item: Any, name: str, side: int | None = None) -> Decoded | npt.NDArray[Any]:
    """One object as a picture, or as an array of numbers.

    Raises:
        DataError: it is missing, damaged or no picture.
    """
    content = _find_bytes(item)
    if content is not None:
        return decode(content, str(item) if isinstance(item, str | PathLike) else name, side=side)
    if isinstance(item, Image.Image):
        return _open_picture(item, name)
    if item is None:
        raise DataError(f"{name} is missing; remove images that are None")
    array = as_array(fetch_tensor(item), name)
    if array.dtype.kind not in "buif":
        raise DataError(
            f"{name} is a {type(item).__name__}; expected a picture, an array, a path or bytes"
        )
    if array.size == 0:
        raise DataError(f"{name} has shape {array.shape}: it holds no pixels")
    return array


def _open_picture(picture: Image.Image, name: str) -> Decoded | npt.NDArray[Any]:
    try:
        if picture.info:  # as a picture has that came from a file, which may lie on its side
            picture = ImageOps.exif_transpose(picture)
        pixels: npt.NDArray[Any]
        if picture.mode == "F":
            pixels = np.array(picture)
            return pixels
        if picture.mode.startswith("I"):
            pixels = np.clip(np.asarray(picture), 0, 65_535).astype(np.uint16)
            return pixels
        simple = simplify_picture(picture)
        return Decoded((simple,), simple.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} cannot be read ({error}); replace or remove it") from error


def _one_channels_last(array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """One image as `(H, W)`, `(H, W, 3)` or `(H, W, 4)`."""
    for channels in ((1, 3), (4,)):
        if array.ndim == 3 and array.shape[0] in channels:
            array = array.transpose(1, 2, 0)
        if array.ndim == 3 and array.shape[2] in channels:
            return array[:, :, 0] if array.shape[2] == 1 else array
    if array.ndim == 2:
        return array
    raise DataError(
        f"{name} has shape {array.shape}; expected (H, W), (H, W, C) or (C, H, W) with 1 or 3 "
        "channels"
    )
