"""What a TIFF file needs to be decoded: the tags of its first picture that pixels are made from."""

from __future__ import annotations

import struct
from collections.abc import Sequence

MAX_STRIPS = 20_000  # Pillow goes through those of a plain TIFF one by one
MAX_ENTRIES = 4096
PLAIN = (1, 5, 8, 32773, 32946)  # none, LZW, Deflate, PackBits, and Deflate's older number
_ORIENTATION, _COMPRESSION, _COLOURS = 274, 259, 320
_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles
# Sizes, bits, colours, strips, planes, predictor, tiles, transparency, kind of numbers.
_KEPT = frozenset((256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, 320)) | {
    *_OFFSETS,
    *_COUNTS,
}
_LETTERS = {1: "B", 3: "H", 4: "I"}  # BYTE, SHORT, LONG


def split_tiff(data: bytes) -> tuple[list[bytes | memoryview], int]:
    """The file with a directory of its own, which holds the needed tags alone; the orientation.

    Pages after the first, metadata and previews are no longer reached.

    Raises:
        ValueError: it is no plain TIFF, claims more bytes than it has, or more strips than any
            picture needs.
        struct.error: it is cut short.
    """
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    kind, start = struct.unpack_from(f"{order}HI", data, 2)
    if kind != 42:
        raise ValueError("a big TIFF; save it as a plain one")
    (count,) = struct.unpack_from(f"{order}H", data, start)
    if count > MAX_ENTRIES:
        raise ValueError(f"it has {count:,} tags")
    tags: dict[int, tuple[int, Sequence[int]]] = {}
    for i in range(count):
        tag, form, values = struct.unpack_from(f"{order}HHI", data, start + 2 + 12 * i)
        if tag in tags or (tag not in _KEPT and tag != _ORIENTATION) or form not in _LETTERS:
            continue
        most = 3 << 16 if tag == _COLOURS else MAX_STRIPS
        if tag not in (_COLOURS, *_OFFSETS, *_COUNTS):
            most = 16
        if values > most:
            raise ValueError(f"it has {values:,} values of tag {tag}; expected at most {most:,}")
        letters = f"{order}{values}{_LETTERS[form]}"
        at = start + 10 + 12 * i
        if struct.calcsize(letters) > 4:
            (at,) = struct.unpack_from(f"{order}I", data, at)
        tags[tag] = form, struct.unpack_from(letters, data, at)
    _check(tags, len(data))
    _, orientation = tags.pop(_ORIENTATION, (3, (1,)))
    directory = _write(order, tags, len(data) + len(data) % 2)
    head = data[:4] + struct.pack(f"{order}I", len(data) + len(data) % 2)
    fill = bytes(len(data) % 2)
    return [head, memoryview(data)[8:], fill, directory], orientation[0] if orientation else 1


def _check(tags: dict[int, tuple[int, Sequence[int]]], size: int) -> None:
    compression = tags.get(_COMPRESSION, (3, (1,)))[1]
    if compression and compression[0] not in PLAIN:
        raise ValueError(
            f"it is packed by method {compression[0]}; save it plain, or with LZW or Deflate"
        )
    for tag in _COUNTS:
        # Strips that overlap would be unpacked once for each.
        if tag in tags and sum(tags[tag][1]) > size:
            raise ValueError("it claims more bytes than it has")


def _write(order: str, tags: dict[int, tuple[int, Sequence[int]]], at: int) -> bytes:
    """A directory for the position `at`, followed by its longer values."""
    entries, longer = [], b""
    after = at + 2 + 12 * len(tags) + 4
    for tag, (form, values) in sorted(tags.items()):
        content = struct.pack(f"{order}{len(values)}{_LETTERS[form]}", *values)
        entries.append(struct.pack(f"{order}HHI", tag, form, len(values)))
        if len(content) > 4:
            entries.append(struct.pack(f"{order}I", after + len(longer)))
            longer += content + bytes(len(content) % 2)
        else:
            entries.append(content.ljust(4, b"\0"))
    return struct.pack(f"{order}H", len(tags)) + b"".join(entries) + bytes(4) + longer
