"""Files that may be packed with gzip, read whole and within bounds."""

from __future__ import annotations

import zlib
from pathlib import Path

from smallvision.data.decoding.regular import read_regular
from smallvision.errors import DataError
from smallvision.records.files import BOMB_BYTES, BOMB_RATIO

MAX_BYTES = 4_000_000_000  # of a file of images, packed or not
_GZIP = b"\x1f\x8b"


def read_gzipped(path: Path, name: str) -> bytes:
    """The bytes of a file, unpacked if it is gzip.

    Args:
        path: of the file.
        name: what to call it in an error.

    Raises:
        DataError: it is missing, damaged, cut short, or unpacks to far more than its size.
    """
    content = read_regular(path, name, most=MAX_BYTES)
    return inflate(content, name, wbits=31) if content[:2] == _GZIP else content


def inflate(content: bytes, name: str, *, wbits: int) -> bytes:
    """Unpack one stream of zlib or gzip.

    Args:
        content: the stream; what follows it is ignored.
        name: what to call it in an error.
        wbits: the container, as in `zlib.decompressobj`.

    Raises:
        DataError: it is damaged, cut short, or unpacks to far more than its size.
    """
    most = min(MAX_BYTES, max(BOMB_BYTES, BOMB_RATIO * len(content)))
    unpacker = zlib.decompressobj(wbits=wbits)
    try:
        unpacked = unpacker.decompress(content, most + 1)
    except zlib.error as error:
        raise DataError(f"{name} is damaged ({error}); get it again") from error
    if len(unpacked) > most:
        raise DataError(f"{name} unpacks to more than {most:,} bytes, so it holds no images")
    if not unpacker.eof:
        raise DataError(f"{name} is cut short; get it again")
    return unpacked
