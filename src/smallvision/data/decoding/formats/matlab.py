"""Plain arrays in `.mat` files of version 5, without the many other things that these can hold.

Source: MathWorks, "MAT-File Format". SciPy's reader builds objects and sets memory aside for what a
file claims, so it is not used for files of strangers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.formats.gzipped import MAX_BYTES, inflate
from smallvision.data.decoding.regular import read_regular
from smallvision.errors import DataError

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
# Types of stored numbers, and the classes of arrays that are made of plain numbers.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_PLAIN = range(6, 14)  # double, single, and whole numbers of 8 to 32 bits
_COMPLEX = 0x0800
_MOST_VARIABLES, _MOST_DIMENSIONS = 100, 8


def read_mat(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of some names in a `.mat` file.

    Args:
        path: of the file.
        wanted: the names; other variables are passed over.

    Raises:
        DataError: the file is damaged, of another version, or lacks one of them.
    """
    name = path.name
    content = read_regular(path, name, most=MAX_BYTES)
    if content[:19] == b"MATLAB 7.3 MAT-file":
        raise DataError(f"{name} is of version 7.3 (HDF5), which is not read; save it with '-v7'")
    if len(content) < _HEADER or content[126:128] != b"IM":
        raise DataError(f"{name} is no .mat file of version 5; get the original")
    found: dict[str, np.ndarray[Any, Any]] = {}
    try:
        for number, (kind, body) in enumerate(_list_elements(memoryview(content)[_HEADER:])):
            if number >= _MOST_VARIABLES:
                raise DataError(f"{name} holds more than {_MOST_VARIABLES} variables")
            if kind == _COMPRESSED:
                inner = memoryview(inflate(bytes(body), name, wbits=15))
                kind, body = next(_list_elements(inner))
            if kind == _MATRIX:
                found |= _read_matrix(body, wanted)
    except (struct.error, ValueError, StopIteration, KeyError) as error:
        raise DataError(f"{name} is damaged ({error!s:.100}); get it again") from error
    for one in wanted:
        if one not in found:
            raise DataError(f"{name} lacks a plain array '{one}'; get the original")
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


def _read_matrix(
    body: memoryview, wanted: Collection[str]
) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """The array of a matrix element, if it is a wanted one; columns first, as MATLAB stores it."""
    parts = _list_elements(body)
    (flags,) = struct.unpack_from("<I", next(parts)[1])
    dimensions = next(parts)[1]
    name = bytes(next(parts)[1]).decode("latin1")
    if name not in wanted or (flags & 0xFF) not in _PLAIN or flags & _COMPLEX:
        return {}
    if len(dimensions) > 4 * _MOST_DIMENSIONS:
        raise ValueError("too many dimensions")
    shape = struct.unpack(f"<{len(dimensions) // 4}i", dimensions)
    kind, numbers = next(parts)
    flat = np.frombuffer(numbers, dtype=f"<{_TYPES[kind]}")
    if min(shape, default=0) < 0 or math.prod(shape) != len(flat):
        raise ValueError(f"'{name}' claims the shape {shape} and holds {len(flat):,} numbers")
    return {name: flat.reshape(shape, order="F")}
