"""Numbers, texts, cells and structures in `.mat` files of version 5.

Source: MathWorks, "MAT-File Format". SciPy's reader sets memory aside for what a file claims (three
gigabytes for a file of 200 bytes), so it is not used for files of strangers. Nothing is made of a
file but numbers, texts, lists and dictionaries.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from smallvision.data.decoding.formats.gzipped import MAX_BYTES, inflate
from smallvision.data.decoding.regular import read_regular
from smallvision.errors import DataError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
# Types of stored numbers, and the classes of arrays.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_TYPES |= {12: "i8", 13: "u8"}
_UTF8, _UTF16 = 16, 17
_CELL, _STRUCTURE, _TEXT, _NUMBERS = 1, 2, 4, range(6, 16)
_COMPLEX = 0x0800
_MOST_VARIABLES, _MOST_DIMENSIONS, _MOST_FIELDS, _MOST_DEPTH = 100, 8, 200, 8
_MOST_VALUES = 3_000_000  # of cells and structures; each takes some hundred bytes
_MOST_LETTERS = 1_000_000  # of a text, or of all texts in the rows of a table of letters

# Numbers, a text, the values of cells (columns first), or the values of each field of structures.
# A value of another kind is None.
Value: TypeAlias = (
    np.ndarray[Any, Any] | str | Sequence["Value"] | Mapping[str, Sequence["Value"]] | None
)


def read_arrays(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of some names in a `.mat` file; other variables are passed over.

    Raises:
        DataError: as for `read_mat`, or one of them is not there.
    """
    values = read_mat(path, wanted)
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    for one in wanted:
        if one not in arrays:
            raise DataError(f"{path.name} lacks a plain array '{one}'; get the original")
    return arrays


def read_mat(
    path: Path, wanted: Collection[str] | None = None, *, most: int = MAX_BYTES
) -> dict[str, Value]:
    """The variables in a `.mat` file.

    Args:
        path: of the file.
        wanted: the names of those to read; None for all.
        most: bytes that the file may have, and those of all variables once they are unpacked.

    Raises:
        DataError: the file is damaged, of another version, or claims more than it holds.
    """
    name = path.name
    content = read_regular(path, name, most=most)
    if content[:19] == b"MATLAB 7.3 MAT-file":
        raise DataError(f"{name} is of version 7.3 (HDF5), which is not read; save it with '-v7'")
    if len(content) < _HEADER or content[126:128] != b"IM":
        raise DataError(f"{name} is no .mat file of version 5; get the original")
    reader, unpacked = _MatReader(wanted), 0
    found: dict[str, Value] = {}
    try:
        for number, (kind, body) in enumerate(_list_elements(memoryview(content)[_HEADER:])):
            if number >= _MOST_VARIABLES:
                raise DataError(f"{name} holds more than {_MOST_VARIABLES} variables")
            if kind == _COMPRESSED:
                inner = memoryview(inflate(bytes(body), name, wbits=15))
                unpacked += len(inner)
                if unpacked > most:
                    raise DataError(f"{name} unpacks to more than {most:,} bytes")
                kind, body = next(_list_elements(inner))
            if kind == _MATRIX:
                called, value = reader.read(body)
                found |= {called: value}
    except (struct.error, ValueError, StopIteration, KeyError) as error:
        raise DataError(f"{name} is damaged ({error!s:.100}); get it again") from error
    return found


def _list_elements(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The type and the bytes of each element, which are padded to 8 bytes inside an array."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        if kind >> 16:  # up to four bytes beside their tag
            kind, size, start, end = kind & 0xFFFF, kind >> 16, at + 4, at + 8
        else:
            start, end = at + 8, at + 8 + size + (-size % 8 if kind != _COMPRESSED else 0)
        if start + size > len(content):
            raise ValueError("cut short")
        yield kind, content[start : start + size]
        at = end


class _MatReader:
    """Reads the arrays of one file, which may hold others.

    Args:
        wanted: names of variables to read; None for all.
    """

    def __init__(self, wanted: Collection[str] | None) -> None:
        self._wanted = wanted
        self._left = _MOST_VALUES

    def read(self, body: memoryview, depth: int = 0) -> tuple[str, Value]:
        """The name and the value of a matrix element; those inside of others have no name."""
        self._left -= 1
        if self._left < 0 or depth > _MOST_DEPTH:
            raise ValueError(f"more than {_MOST_VALUES:,} values, or {_MOST_DEPTH} in each other")
        if not body:
            return "", np.zeros(0)
        parts = _list_elements(body)
        (flags,) = struct.unpack_from("<I", next(parts)[1])
        dimensions = next(parts)[1]
        name = bytes(next(parts)[1]).decode("latin1")
        kind = flags & 0xFF
        if self._wanted is not None and depth == 0 and name not in self._wanted:
            return name, None
        if len(dimensions) > 4 * _MOST_DIMENSIONS:
            raise ValueError("too many dimensions")
        shape = struct.unpack(f"<{len(dimensions) // 4}i", dimensions)
        if min(shape, default=0) < 0:
            raise ValueError(f"'{name}' claims the shape {shape}")
        if kind == _CELL:
            return name, self._read_cells(parts, math.prod(shape), depth)
        if kind == _STRUCTURE:
            return name, self._read_structures(parts, math.prod(shape), depth)
        if kind == _TEXT:
            return name, _read_text(parts, shape)
        if kind in _NUMBERS and not flags & _COMPLEX:
            return name, _read_numbers(parts, shape, name)
        return name, None

    def _read_cells(
        self, parts: Iterator[tuple[int, memoryview]], count: int, depth: int
    ) -> list[Value]:
        values = [self.read(body, depth + 1)[1] for _, body in parts]
        if len(values) != count:
            raise ValueError(f"{count:,} cells are claimed and {len(values):,} are there")
        return values

    def _read_structures(
        self, parts: Iterator[tuple[int, memoryview]], count: int, depth: int
    ) -> dict[str, list[Value]]:
        (length,) = struct.unpack_from("<i", next(parts)[1])
        text = bytes(next(parts)[1])
        if length < 1 or len(text) > length * _MOST_FIELDS:
            raise ValueError("its fields have no names, or there are too many")
        names = [
            text[i : i + length].partition(b"\0")[0].decode("latin1")
            for i in range(0, len(text), length)
        ]
        values = self._read_cells(parts, count * len(names), depth)
        return {name: values[i :: len(names)] for i, name in enumerate(names)}


def _read_numbers(
    parts: Iterator[tuple[int, memoryview]], shape: tuple[int, ...], name: str
) -> np.ndarray[Any, Any]:
    """Numbers of a shape; columns first, as MATLAB stores them."""
    if not math.prod(shape):
        return np.zeros(shape)
    kind, numbers = next(parts)
    flat = np.frombuffer(numbers, dtype=f"<{_TYPES[kind]}")
    if math.prod(shape) != len(flat):
        raise ValueError(f"'{name}' claims the shape {shape} and holds {len(flat):,} numbers")
    return flat.reshape(shape, order="F")


def _read_text(parts: Iterator[tuple[int, memoryview]], shape: tuple[int, ...]) -> Value:
    """A text, or the texts in the rows of a table of letters."""
    count = math.prod(shape)
    if not count:
        return ""
    kind, content = next(parts)
    if len(shape) != 2 or len(content) > _MOST_LETTERS:
        return None
    if kind in (_UTF8, _UTF16):
        text = bytes(content).decode("utf-8" if kind == _UTF8 else "utf-16-le", "replace")
    else:
        text = "".join(map(chr, np.frombuffer(content, f"<u{np.dtype(_TYPES[kind]).itemsize}")))
    if len(text) != count:
        raise ValueError(f"a text claims the shape {shape} and holds {len(text):,} letters")
    texts = [text[row :: shape[0]].strip() for row in range(shape[0])]
    return texts[0] if len(texts) == 1 else texts
