"""Images in the rows of a CSV, as Kaggle has MNIST, Fashion-MNIST, Sign-MNIST and FER-2013."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.columns import SPLIT_NAMES
from smallvision.data.decoding.formats.pixel_rows import PixelColumns, find_pixels, read_pixels
from smallvision.data.decoding.labels import name_some, sort_names
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.pictures.columns import tell_word
from smallvision.data.sources.source import (
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    tell_part,
)
from smallvision.errors import DataError
from smallvision.shapes import Shape

UNNAMED = "The columns have no names; the first was taken for the classes, the rest for pixels."


@dataclass(frozen=True)
class _PixelTable:
    path: Path
    columns: PixelColumns

    def find(self, names: Sequence[str]) -> int | None:
        """The position, among the columns that hold no pixels, of one with such a name."""
        start, end = self.columns.pixels
        rest = (*self.columns.names[:start], *self.columns.names[end:])
        keys = [re.sub(r"[\W_]+", "", name.lower()) for name in rest]
        return next((keys.index(name) for name in names if name in keys), None)

    @property
    def others(self) -> int:
        """How many columns hold no pixels."""
        start, end = self.columns.pixels
        return len(self.columns.names) - (end - start)


class PixelTableSource:
    """A `.csv` with a class and pixels in each row, or a folder with one for each part.

    The pixels stand in columns of their own, or in one column between spaces. A column of parts
    (`Usage`) divides the rows.
    """

    expects = "a .csv with pixels in its rows"
    takes: tuple[str, ...] = ("label_column",)

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe files without reading all rows; see `Source`."""
        if place.is_file():
            paths = [place] if place.suffix.lower() == ".csv" else []
        elif place.is_dir():
            paths = sorted(path for path in place.iterdir() if path.suffix.lower() == ".csv")
        else:
            return None
        found = [
            _PixelTable(path, columns)
            for path in paths
            if path.is_file() and (columns := find_pixels(path, path.name))
        ]
        labelled = [table for table in found if table.others]
        if not labelled:
            return None
        tables = _divide(labelled)
        train = tables["train"]
        split = train.find(SPLIT_NAMES)
        left_out = [
            LeftOut("a table of images without classes", 1, table.path.name)
            for table in found
            if table not in labelled
        ]
        parts: dict[Part, partial[DecodedPart]] = {}
        words: tuple[Part, ...] = ("train", "val", "test") if split is not None else ("train",)
        if split is not None:
            words = tuple(part for part in words if part in _list_parts(train, split))
        for part in words if split is not None else tables:
            table = train if split is not None else tables[part]
            parts[part] = partial(_read_part, table, train, part, options.label_column)
        return Layout(
            source="table of pixels",
            parts=parts,
            place=place,
            files=tuple(table.path for table in found),
            left_out=tuple(left_out),
            notes=() if train.columns.headed else (UNNAMED,),
        )


def _divide(tables: Sequence[_PixelTable]) -> dict[Part, _PixelTable]:
    """The table of each part, by the names of the files."""
    if len(tables) == 1:
        return {"train": tables[0]}
    parts: dict[Part, _PixelTable] = {}
    for table in tables:
        part = tell_part(table.path.stem)
        if part is None or part in parts:
            names = name_some([each.path.name for each in tables])
            raise DataError(f"several tables hold images ({names}); name one of them")
        parts[part] = table
    if "train" not in parts:
        raise DataError(f"there is no table of the training part, but {name_some([*parts])}")
    return parts


def _list_parts(table: _PixelTable, split: int) -> set[Part | None]:
    _, others = read_pixels(table.path, table.path.name, table.columns)
    return {tell_word(cells[split]) for cells in others}


def _read_part(
    table: _PixelTable, train: _PixelTable, part: Part, label_column: str | None, _: Shape | None
) -> DecodedPart:
    pixels, labels = _read_rows(table, part, label_column)
    known = labels if part == "train" else _read_rows(train, "train", label_column)[1]
    class_names = sort_names(known)
    numbers = {name: i for i, name in enumerate(class_names)}
    for label in labels:
        if label not in numbers:
            raise DataError(f"{part} has a class '{label}' that train lacks")
    encoded = np.array([numbers[label] for label in labels], dtype=np.int64)
    return DecodedPart(ImageSet(pixels, encoded, class_names))


def _read_rows(
    table: _PixelTable, part: Part, label_column: str | None
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], list[str]]:
    """The images of one part, and their classes."""
    pixels, others = read_pixels(table.path, table.path.name, table.columns)
    split = table.find(SPLIT_NAMES)
    rest = [i for i in range(table.others) if i != split]
    if label_column is not None:
        wanted = table.find([re.sub(r"[\W_]+", "", label_column.lower())])
        if wanted is None:
            raise DataError(f"{table.path.name} has no column '{label_column}'")
        rest = [wanted]
    if len(rest) != 1:
        raise DataError(
            f"{table.path.name} has {len(rest)} columns beside its pixels; expected one of classes "
            "(label_column names it)"
        )
    labels = [cells[rest[0]] for cells in others]
    if split is None:
        return pixels, labels
    kept = [i for i, cells in enumerate(others) if tell_word(cells[split]) == part]
    return np.ascontiguousarray(pixels[kept]), [labels[i] for i in kept]
