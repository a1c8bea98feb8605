"""From an object to the images and labels of one part."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from smallvision.data.decoding.columns import (
    IMAGES,
    LABELS,
    SPLIT_NAMES,
    pick_column,
    spell_key,
)
from smallvision.data.decoding.labels import ClassNames, fetch_tensor
from smallvision.data.sources.objects.kinds import (
    find_class_names,
    is_image,
    is_label,
    is_pair,
    is_sequence,
    is_table,
    list_columns,
    refuse,
)
from smallvision.data.sources.source import PART_NAMES, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import MIN_SIZE

NAMES = ("class_names", "target_names", "label_names", "classes")  # in a dict of arrays


@dataclass(frozen=True, eq=False)
class Samples:
    """Images and labels of one part, which have not been converted.

    Attributes:
        kind: what they came as, for the records.
        images: an array, or a sequence with an object for each image.
        labels: one for each image; of a `Pairs`, they are known once its images were read.
        class_names: as the object has them, or None.
        groups: a word for each image, or None.
        splits: a word for each image that says its part, or None.
        notes: what was understood that a person should know.
    """

    kind: str
    images: Any
    labels: Any
    class_names: ClassNames | None = None
    groups: tuple[str, ...] | None = None
    splits: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_paths(self) -> bool:
        """Whether the images are the paths of picture files."""
        images = self.images
        return (
            not isinstance(images, Pairs | DecodedColumn)
            and isinstance(images, Sequence)
            and bool(images)
            and all(isinstance(one, str | PathLike) for one in images)
        )


class DecodedColumn(Sequence[Any]):
    """One column of a data set that decodes a row when it is asked for, or some rows of it."""

    def __init__(self, table: Any, column: str, rows: Sequence[int] | None = None) -> None:
        narrow = getattr(table, "select_columns", None)
        self.table, self.column = narrow([column]) if narrow else table, column
        self._rows: Sequence[int] = range(len(table)) if rows is None else rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: Any) -> Any:
        return fetch_item(self.table, int(self._rows[number]))[self.column]


class Pairs(Sequence[Any]):
    """The images of a sequence of pairs, whose labels are noted down on the way."""

    def __init__(self, pairs: Any) -> None:
        self._pairs = pairs
        self._labels: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, number: Any) -> Any:
        image, self._labels[number] = split_item(fetch_item(self._pairs, number), number)
        return image

    def list_labels(self, numbers: Sequence[int]) -> list[Any]:
        """The labels of images that were read."""
        return [fetch_tensor(self._labels[number]) for number in numbers]


def fetch_item(pairs: Any, number: int) -> Any:
    """One entry of a sequence.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return pairs[number]
    except Exception as error:  # the data set's own code may raise anything
        raise DataError(
            f"number {number} of the data set cannot be read ({type(error).__name__}: {error})"
        ) from error


def split_item(item: Any, number: int) -> tuple[Any, Any]:
    """One entry of a data set as an image and a label.

    Raises:
        DataError: it is neither a pair nor a dict of both.
    """
    if isinstance(item, tuple | list) and len(item) >= 2:
        return item[0], item[1]
    if isinstance(item, Mapping):
        names = [str(name) for name in item]
        image, _ = pick_column(IMAGES, [n for n in names if is_image(item[n])], names, None)
        label, _ = pick_column(LABELS, [n for n in names if n != image], names, None)
        return item[image], item[label]
    raise DataError(
        f"number {number} of the data set is a {type(item).__name__}; expected (image, label)"
    )


def find_samples(value: Any, options: SourceOptions) -> Samples:
    """Find the images and labels of an object.

    Raises:
        DataError: it holds none; the message names the right call.
    """
    if is_pair(value):
        return _from_pair(*value)
    if is_table(value):
        return _from_table(value, options)
    if is_sequence(value) and len(value):
        return _from_sequence(value)
    raise refuse(value)


def _from_pair(images: Any, labels: Any) -> Samples:
    shape = getattr(images, "shape", None)
    if shape is not None and len(shape) == 1 and len(getattr(labels, "shape", ())) > 2:
        raise DataError("the labels come first; expected (images, labels)")
    objects = str(getattr(images, "dtype", "")) in ("object", "str", "string")
    if objects or getattr(getattr(images, "dtype", None), "kind", "") == "U":
        images = list(images)  # a column of a table, or an array of paths
    return Samples("arrays", images, labels)


def _from_sequence(value: Any) -> Samples:
    items = Pairs(value)
    kind = "torch data set" if not isinstance(value, Sequence) else "pairs"
    first = fetch_item(value, 0)
    if not isinstance(first, tuple | list | Mapping) or is_image(first):
        if is_image(first):
            raise DataError(
                f"a {type(value).__name__} of images has no labels; expected "
                "sv.load_data((images, labels)), or sv.classify(model, images) to classify them"
            )
        raise refuse(value)
    if isinstance(value, list | tuple) and isinstance(first, tuple | list):
        pairs = [split_item(item, number) for number, item in enumerate(value)]
        return Samples(kind, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return Samples(kind, items, items, find_class_names(value), notes=_note_chance(value))


def _note_chance(value: Any) -> tuple[str, ...]:
    """Say that a data set changes its images at random, which its copies here no longer do."""
    first, again = (split_item(fetch_item(value, 0), 0)[0] for _ in range(2))
    if np.array_equal(_plain(first), _plain(again)):
        return ()
    return (
        "The data set changes its images at random each time they are read; they were read once "
        "and stay so: leave such transforms out, since recipes have augmentations of their own.",
    )


def _plain(image: Any) -> Any:
    return np.asarray(fetch_tensor(image))


def _from_table(table: Any, options: SourceOptions) -> Samples:
    """The columns of pictures and labels of a table."""
    names = list_columns(table)
    features = getattr(table, "features", None) or {}
    rows = hasattr(table, "column_names") and isinstance(features, Mapping) and bool(features)
    if not names or not len(table):
        raise DataError(f"a {type(table).__name__} without rows; expected pictures and labels")
    first = fetch_item(table, 0) if rows else {n: _look_at_first(table[n]) for n in names}
    fitting = [name for name in names if is_image(first[name])]
    fitting = fitting or [name for name in names if _is_flat(table, name)]
    pixels = [] if fitting or options.image_column else _list_pixels(names)
    if not pixels and not fitting and isinstance(table, Mapping):
        raise refuse(table)
    image, notes = ("", ()) if pixels else pick_column(IMAGES, fitting, names, options.image_column)
    named = [name for name in names if rows and type(features[name]).__name__ == "ClassLabel"]
    fitting = [name for name in names if name != image and is_label(first[name])]
    label, more = pick_column(LABELS, named or fitting, names, options.label_column)
    return Samples(
        "Hugging Face data set" if rows else "table",
        DecodedColumn(table, image) if rows else _fetch_images(table, image, pixels),
        list(table[label]) if rows else fetch_column(table, label),
        _find_names(table, features[label] if rows else None),
        groups=_spell(table, options.group_by, names),
        splits=_spell_splits(table, names),
        notes=notes + more,
    )


def _look_at_first(column: Any) -> Any:
    """The first entry of a column, or None where there is none."""
    try:
        value = column.iloc[0] if hasattr(column, "iloc") else column[0]
    except (TypeError, LookupError):
        return None
    return value.as_py() if hasattr(value, "as_py") else value


def _is_flat(table: Any, name: str) -> bool:
    """Whether a column of a dict has a row of pixels for each image."""
    column = table[name] if isinstance(table, Mapping) else None
    return spell_key(name) in IMAGES.usual and len(getattr(column, "shape", ())) == 2


def _list_pixels(names: Sequence[str]) -> list[str]:
    """The columns of a table that has one for each pixel (`pixel0`, `1x1`), in their order."""
    pixels = [name for name in names if re.fullmatch(r"(pixel|px|p)?_?\d+(x\d+)?", name.lower())]
    return (
        pixels if len(pixels) >= MIN_SIZE**2 and math.isqrt(len(pixels)) ** 2 == len(pixels) else []
    )


def _fetch_images(table: Any, image: str, pixels: Sequence[str]) -> Any:
    if not pixels:
        return fetch_column(table, image)
    return np.stack([np.asarray(fetch_column(table, name)) for name in pixels], axis=1)


def _find_names(table: Any, feature: Any) -> ClassNames | None:
    """The class names of a feature, or those that a dict has beside the labels."""
    names = getattr(feature, "names", None)
    if names is None and isinstance(table, Mapping):
        names = next((table[key] for key in NAMES if table.get(key) is not None), None)
    return None if names is None else [str(name) for name in names]


def _spell_splits(table: Any, names: Sequence[str]) -> tuple[str, ...] | None:
    """The words of a column that names parts; None where none does."""
    for name in names:
        words = _spell(table, name, names) if spell_key(name) in SPLIT_NAMES else None
        if words and {word.lower() for word in words} <= PART_NAMES.keys():
            return tuple(word.lower() for word in words)
    return None


def _spell(table: Any, column: str | None, names: Sequence[str]) -> tuple[str, ...] | None:
    if column is None:
        return None
    if column not in names:
        raise DataError(f"there is no column '{column:.80}' to group by; it has {names}")
    return tuple(str(value) for value in fetch_column(table, column))


def fetch_column(table: Any, name: str) -> Any:
    """A column of a table: an array if it is one, or else a list."""
    column = table[name]
    if isinstance(column, np.ndarray) and column.dtype.kind != "O":
        return column
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(column, method) and not hasattr(column, "detach"):
            return getattr(column, method)()
    return column if hasattr(column, "shape") else list(column)
