"""Images in the rows of a CSV: a column for each pixel, or one column with all pixels."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.data.decoding.regular import open_regular
from smallvision.errors import DataError
from smallvision.shapes import MAX_SIZE, MIN_SIZE, Images, Shape

MAX_BYTES = 1_000_000_000  # of a table; the letters of NIST as rows have 700 million
MAX_LINE = 200_000  # characters: 4 for each pixel
MAX_ROWS = 2_000_000
_NUMBERS = re.compile(rb"[0-9, ]*")


@dataclass(frozen=True)
class PixelColumns:
    """Where a table has its pixels.

    Attributes:
        names: of all columns; empty texts where the first row is an image already.
        pixels: the first and the last column of pixels, and one more.
        shape: `(C, H, W)` of an image.
        spaced: whether one column holds all pixels, between spaces.
    """

    names: tuple[str, ...]
    pixels: tuple[int, int]
    shape: Shape
    spaced: bool

    @property
    def headed(self) -> bool:
        """Whether the first row holds names."""
        return any(self.names)


def find_pixels(path: Path, name: str) -> PixelColumns | None:
    """Where a CSV has pixels, or None where it is another table; two lines are read.

    Raises:
        DataError: it cannot be read.
    """
    with open_regular(path, name, most=MAX_BYTES) as file:
        first, second = file.readline(MAX_LINE), file.readline(MAX_LINE)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    try:
        names, row = (_split(line) for line in (first, second))
    except csv.Error as error:
        raise DataError(f"{name} cannot be read as a table ({error!s:.200})") from error
    if len(names) != len(row):
        return None
    spaced = [i for i, cell in enumerate(row) if cell.count(" ") >= MIN_SIZE**2 - 1]
    if len(spaced) == 1 and len(row) <= 10:
        shape = tell_shape(row[spaced[0]].count(" ") + 1)
        return shape and PixelColumns(names, (spaced[0], spaced[0] + 1), shape, spaced=True)
    if len(row) < MIN_SIZE**2:
        return None
    if all(cell.isdecimal() for cell in names):
        names = ("",) * len(names)
    # There is no column of classes, or it comes last if the first is called as the others are, or
    # first.
    last = bool(names[0]) and _cut_number(names[0]) == _cut_number(names[1])
    for start, end in ((0, len(row)), (0, len(row) - 1) if last else (1, len(row))):
        pixels = row[start:end]
        shape = tell_shape(len(pixels))
        if shape and all(cell.isdecimal() and len(cell) <= 3 for cell in pixels):
            return PixelColumns(names, (start, end), shape, spaced=False)
    return None


def _cut_number(name: str) -> str:
    return name.rstrip("0123456789x_.")


def _split(line: bytes) -> tuple[str, ...]:
    cells = next(csv.reader([line.decode("utf-8-sig", "replace").strip()]), [])
    return tuple(cell.strip() for cell in cells)


def tell_shape(count: int) -> Shape | None:
    """`(C, H, W)` of a square image with so many values, grey before colour; None if none fits."""
    for channels in (1, 3):
        side = math.isqrt(count // channels)
        if channels * side * side == count and MIN_SIZE <= side <= MAX_SIZE:
            return channels, side, side
    return None


def read_pixels(
    path: Path, name: str, columns: PixelColumns
) -> tuple[Images, list[tuple[str, ...]]]:
    """The images of a table, and the cells of the other columns of each row.

    Args:
        path: of the table.
        name: what to call it in an error.
        columns: where its pixels are.

    Returns: uint8 `(N, C, H, W)`, and for each the cells before and after the pixels.

    Raises:
        DataError: a row has another number of pixels, or one that is no whole number up to 255.
    """
    images: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []
    others: list[tuple[str, ...]] = []
    start, end = columns.pixels
    for number, line in enumerate(_list_lines(path, name), start=1):
        if (number == 1 and columns.headed) or not line.strip():
            continue
        if len(images) >= MAX_ROWS:
            raise DataError(f"{name} has more than {MAX_ROWS:,} rows")
        # The pixels are not split one by one, which would take most of the time.
        before = line.split(b",", start)
        after = len(columns.names) - end
        middle = before.pop().rsplit(b",", after)
        cells = [cell.strip().strip(b'"') for cell in (*before, *middle[1:])]
        images.append(_parse(middle[0].strip().strip(b'"'), columns, f"row {number} of {name}"))
        others.append(tuple(cell.decode("utf-8", "replace") for cell in cells))
    if not images:
        raise DataError(f"{name} holds no images")
    return np.stack(images).reshape(-1, *columns.shape), others


def _list_lines(path: Path, name: str) -> Iterator[bytes]:
    with open_regular(path, name, most=MAX_BYTES) as file:
        while line := file.readline(MAX_LINE):
            yield line


def _parse(
    text: bytes, columns: PixelColumns, where: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        if not _NUMBERS.fullmatch(text):
            raise ValueError("another character than digits")
        pixels = bytes(map(int, text.split(b" " if columns.spaced else b",")))
    except ValueError as error:
        raise DataError(
            f"{where} holds something else than pixels from 0 to 255 ({error!s:.100})"
        ) from error
    if len(pixels) != math.prod(columns.shape):
        raise DataError(
            f"{where} has {len(pixels):,} pixels; expected {math.prod(columns.shape):,}"
        )
    return np.frombuffer(pixels, np.uint8)
