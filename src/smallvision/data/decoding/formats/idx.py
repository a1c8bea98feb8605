"""Arrays in IDX files, the format of MNIST: a header of sizes, then bytes.

Source: http://yann.lecun.com/exdb/mnist, "THE IDX FILE FORMAT".
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.formats.gzipped import read_gzipped
from smallvision.errors import DataError

_UNSIGNED_BYTE = 8
_MOST_DIMENSIONS = 4


def read_idx(path: Path) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The array of bytes in an IDX file, which may be packed with gzip.

    Raises:
        DataError: it is damaged, or holds other numbers than bytes.
    """
    name = path.name
    content = read_gzipped(path, name)
    if len(content) < 4 or content[:2] != b"\0\0" or not 1 <= content[3] <= _MOST_DIMENSIONS:
        raise DataError(f"{name} does not begin like an IDX file; get the original")
    kind, dimensions = content[2], content[3]
    if kind != _UNSIGNED_BYTE:
        raise DataError(f"{name} holds numbers of type {kind:#04x}; expected bytes (0x08)")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise DataError(f"{name} is cut short; get it again")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    if math.prod(shape) != len(content) - start:
        raise DataError(
            f"{name} claims {math.prod(shape):,} bytes of shape {shape} and holds "
            f"{len(content) - start:,}; get it again"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
