"""The directory of a zip file, looked at before `zipfile` makes an object of each entry."""

from __future__ import annotations

import struct
from typing import BinaryIO

_ENTRY = b"PK\1\2"


def check_directory(file: BinaryIO, most: int, members: int | None = None) -> None:
    """Refuse a directory that `zipfile` would make millions of objects from.

    The end of a zip file, and the longer one that follows where the file is large, say how many
    bytes it has. `zipfile` looks for them at these places.

    Args:
        file: the zip file.
        most: bytes that the directory may have.
        members: entries that it may have, or None for as many as fit into its bytes.

    Raises:
        ValueError: it claims or has more.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    file.seek(0)
    plain = tail[-22:-18] == b"PK\5\6" and tail[-2:] == b"\0\0"
    at = len(tail) - 22 if plain else tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        return  # zipfile refuses it
    claims = [struct.unpack_from("<I", tail, at + 12)[0]]
    if at >= 76 and tail.startswith(b"PK\6\7", at - 20):
        claims = [struct.unpack_from("<Q", tail, at - 76 + 40)[0]]
    if max(claims) > most:
        raise ValueError(f"its directory has {max(claims):,} bytes; expected at most {most:,}")
    if members is None:
        return
    file.seek(max(0, size - len(tail) + at - 76 - max(claims)))
    entries = file.read().count(_ENTRY)  # each entry begins so; names that do only count more
    file.seek(0)
    if entries > members:
        raise ValueError(f"it holds {entries:,} members; expected at most {members:,}")
