"""Parquet files written by hand, so that each number in them can be a lie.

Two columns that must be there: `img` (bytes) and `label` (64-bit numbers); structs are Thrift in
its compact protocol.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.sources import encode_picture, make_pixels

BYTES, INT64, FIXED = 6, 2, 7  # physical types
PLAIN, RLE_DICTIONARY, DELTA_LENGTHS, DELTA_BYTES = 0, 8, 6, 7  # encodings
RAW, GZIP, ZSTD = 0, 2, 6  # codecs


def varint(number: int) -> bytes:
    """A number in groups of seven bits."""
    content = bytearray()
    while number > 127:
        content.append(number & 127 | 128)
        number >>= 7
    return bytes([*content, number])


def zigzag(number: int) -> bytes:
    """A number that may be negative."""
    return varint((number << 1) ^ (number >> 63))


class Long(int):
    """A number that takes 64 bits in the format."""


@dataclass(frozen=True)
class Listed:
    """A list of structs, already encoded, which may claim another length."""

    items: list[bytes]
    claims: int | None = None
    kind: int = 12


def encode(fields: dict[int, Any]) -> bytes:
    """A struct: numbers, texts, structs (as dicts) and lists, by the numbers of the fields."""
    content, last = b"", 0
    for number, value in fields.items():
        kind = {int: 5, Long: 6, bytes: 8, dict: 12, Listed: 9}[type(value)]
        content += bytes([(number - last) << 4 | kind])
        last = number
        if isinstance(value, int):
            content += zigzag(value)
        elif isinstance(value, bytes):
            content += varint(len(value)) + value
        elif isinstance(value, dict):
            content += encode(value)
        else:
            size = len(value.items) if value.claims is None else value.claims
            head = bytes([size << 4 | value.kind]) if size < 15 else bytes([0xF0 | value.kind])
            content += head + (varint(size) if size >= 15 else b"") + b"".join(value.items)
    return content + b"\0"


@dataclass(frozen=True)
class Page:
    """A page and what its header claims; None claims the truth."""

    content: bytes
    values: int
    encoding: int = PLAIN
    kind: int = 0  # 2 of a dictionary
    unpacked: int | None = None
    packed: int | None = None
    header: bytes | None = None

    def write(self, codec: int) -> bytes:
        """The page with its header."""
        packed = pack(self.content, codec)
        about = {1: self.values, 2: self.encoding}
        if self.kind == 0:
            about |= {3: 3, 4: 3}
        sizes = (
            len(self.content) if self.unpacked is None else self.unpacked,
            len(packed) if self.packed is None else self.packed,
        )
        fields = {1: self.kind, 2: sizes[0], 3: sizes[1], 7 if self.kind == 2 else 5: about}
        return (self.header or encode(fields)) + packed


def pack(content: bytes, codec: int) -> bytes:
    """Content as a codec packs it."""
    import pyarrow as pa

    if codec == RAW:
        return content
    return bytes(pa.compress(content, {GZIP: "gzip", ZSTD: "zstd"}[codec], asbytes=True))


@dataclass(frozen=True)
class Column:
    """A column chunk."""

    name: bytes
    type: int
    pages: list[Page]
    codec: int = RAW
    repetition: int = 0


@dataclass(frozen=True)
class Lies:
    """What a file claims besides its pages; None or empty claims the truth."""

    rows: int | None = None
    group_rows: int | None = None
    values: int | None = None
    groups: int = 1
    chunks: list[bytes] = field(default_factory=list)
    schema: list[bytes] | None = None
    metadata: list[tuple[bytes, bytes]] = field(default_factory=list)
    more: dict[int, Any] = field(default_factory=dict)


def plain_images(contents: list[bytes]) -> bytes:
    """Pictures one after the other."""
    return b"".join(struct.pack("<I", len(content)) + content for content in contents)


def runs(rows: int) -> bytes:
    """References to the first entry of a dictionary, as one run."""
    return b"\x01" + varint(rows << 1) + b"\0"


def images(n: int = 12, **options: Any) -> Column:
    """A column of pictures."""
    contents = [encode_picture(pixels.transpose(1, 2, 0)) for pixels in make_pixels(n)]
    return Column(b"img", BYTES, [Page(plain_images(contents), n)], **options)


def labels(n: int = 12, **options: Any) -> Column:
    """A column of labels, each class in turn."""
    content = b"".join(struct.pack("<q", i % 2) for i in range(n))
    return Column(b"label", INT64, [Page(content, n)], **options)


def repeated(name: bytes, kind: int, value: bytes, rows: int) -> Column:
    """A column of one value, in a dictionary, and a run of references to it."""
    entry = plain_images([value]) if kind == BYTES else value
    pages = [Page(entry, 1, kind=2), Page(runs(rows), rows, RLE_DICTIONARY)]
    return Column(name, kind, pages)


def spell_schema(columns: list[Column]) -> list[bytes]:
    """The root, and an element for each column."""
    root = encode({4: b"schema", 5: len(columns)})
    return [
        root,
        *(encode({1: each.type, 3: each.repetition, 4: each.name}) for each in columns),
    ]


def write_parquet(columns: list[Column], rows: int, lies: Lies = Lies()) -> bytes:
    """A file of one row group, or of several that share their pages."""
    content, chunks, total = b"PAR1", [], 0
    for column in columns:
        places = []
        start = len(content)
        for page in column.pages:
            places.append((page.kind, len(content)))
            content += page.write(column.codec)
        size = len(content) - start
        total += size
        about: dict[int, Any] = {
            1: column.type,
            2: Listed([zigzag(PLAIN), zigzag(RLE_DICTIONARY)], kind=5),
            3: Listed([varint(len(column.name)) + column.name], kind=8),
            4: column.codec,
            5: Long(rows if lies.values is None else lies.values),
            6: Long(size),
            7: Long(size),
            9: Long(next(at for kind, at in places if kind != 2)),
        }
        if places[0][0] == 2:
            about[11] = Long(places[0][1])
        chunks.append(encode({2: Long(start), 3: about}))
    group_rows = rows if lies.group_rows is None else lies.group_rows
    group = encode({1: Listed(chunks + lies.chunks), 2: Long(total), 3: Long(group_rows)})
    fields: dict[int, Any] = {
        1: 2,
        2: Listed(lies.schema or spell_schema(columns)),
        3: Long(rows * lies.groups if lies.rows is None else lies.rows),
        4: Listed([group] * lies.groups),
    }
    if lies.metadata:
        fields[5] = Listed([encode({1: key, 2: value}) for key, value in lies.metadata])
    footer = encode(fields | lies.more)
    return content + footer + struct.pack("<I", len(footer)) + b"PAR1"


def change(column: Column, page: int = 0, **claims: Any) -> Column:
    """A column, one of whose pages claims something else."""
    pages = list(column.pages)
    pages[page] = replace(pages[page], **claims)
    return replace(column, pages=pages)
