"""How many pixels an AVIF file makes a decoder hold, whatever its container says of them.

A container tells the size of each picture, and so does the AV1 stream of that picture. Decoders
obey the stream and compare afterwards, when gigabytes may be taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MAX_ITEMS = 1000
MAX_OBUS = 10_000  # of a picture
SEQUENCE_HEADER = 1


def measure_coded(data: bytes) -> tuple[int, int]:
    """The pixels of the largest AV1 picture in a file, and those of all together.

    Raises:
        ValueError: a picture lies where it cannot be found, or there are too many.
        IndexError, struct.error: it is cut short.
    """
    meta = next((span for kind, *span in _list_boxes(data, 0, len(data)) if kind == b"meta"), None)
    if meta is None:
        raise ValueError("it has no description")
    boxes = {kind: (start, end) for kind, start, end in _list_boxes(data, meta[0] + 4, meta[1])}
    if not {b"iinf", b"iloc"} <= boxes.keys():
        raise ValueError("it does not tell where its pictures lie")
    coded = _list_coded(data, *boxes[b"iinf"])
    inner = boxes.get(b"idat", (0, 0))[0]
    sizes = [
        max((width * height for width, height in _list_sizes(content)), default=0)
        for number, content in _list_items(data, *boxes[b"iloc"], inner)
        if number in coded
    ]
    return max(sizes, default=0), sum(sizes)


def _list_boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind of each box between two places, and where its content begins and ends."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start)
            start += 8
        stop = end if size == 0 else at + size
        if stop < start or stop > end:
            raise ValueError("it is cut short")
        yield kind, start, stop
        at = stop


def _list_coded(data: bytes, start: int, end: int) -> set[int]:
    """The numbers of the items that are AV1 pictures."""
    first = start + (6 if data[start] == 0 else 8)
    found = set()
    for kind, at, _ in _list_boxes(data, first, end):
        version = data[at]
        if kind != b"infe" or version < 2:
            continue
        number, _, item = struct.unpack_from(">HH4s" if version == 2 else ">IH4s", data, at + 4)
        if item == b"av01":
            found.add(number)
    return found


def _list_items(data: bytes, start: int, end: int, inner: int) -> Iterator[tuple[int, bytes]]:
    """The number and the content of each item that the file locates.

    Args:
        data: of the file.
        start, end: of the content of the box `iloc`.
        inner: where the content of the box `idat` begins.
    """
    version, widths = data[start], data[start + 4 : start + 6]
    reader = _Fields(data, start + 6, end)
    long = version == 2
    for _ in range(reader.take(4 if long else 2)):
        number = reader.take(4 if long else 2)
        method = reader.take(2) & 15 if version in (1, 2) else 0
        reader.take(2)  # a reference to another file
        base = reader.take(widths[1] >> 4)
        pieces = []
        for _ in range(reader.take(2)):
            if version in (1, 2):
                reader.take(widths[1] & 15)
            offset, length = reader.take(widths[0] >> 4), reader.take(widths[0] & 15)
            place = base + offset + (inner if method == 1 else 0)
            pieces.append(data[place : place + length if length else len(data)])
        if method > 1 or len(pieces) > MAX_ITEMS:
            raise ValueError("its pictures lie in other pictures")
        yield number, b"".join(pieces)


class _Fields:
    """Numbers of some bytes, one after the other."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def take(self, width: int) -> int:
        self.at += width
        if self.at > self.end:
            raise ValueError("it is cut short")
        return int.from_bytes(self.data[self.at - width : self.at], "big")


def _list_sizes(stream: bytes) -> Iterator[tuple[int, int]]:
    """The largest `(width, height)` that each sequence header of an AV1 stream allows.

    Source: AV1 Bitstream and Decoding Process Specification, 5.3 and 5.5.
    """
    at = 0
    for _ in range(MAX_OBUS):
        if at >= len(stream):
            return
        header = stream[at]
        at += 2 if header & 4 else 1
        size = len(stream) - at
        if header & 2:
            size, at = _read_leb128(stream, at)
        if header >> 3 & 15 == SEQUENCE_HEADER:
            yield _read_size(stream[at : at + size])
        at += size
    raise ValueError(f"a picture has more than {MAX_OBUS:,} units")


def _read_leb128(stream: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(8):
        value |= (stream[at + i] & 127) << 7 * i
        if stream[at + i] < 128:
            return value, at + i + 1
    raise ValueError("a length has more than eight bytes")


class _Bits:
    def __init__(self, content: bytes) -> None:
        self.value, self.left = int.from_bytes(content[:256], "big"), 8 * len(content[:256])

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise ValueError("it is cut short")
        return self.value >> self.left & (1 << count) - 1


def _read_size(header: bytes) -> tuple[int, int]:
    bits = _Bits(header)
    bits.take(4)  # profile, still picture
    if bits.take(1):  # a reduced header
        bits.take(5)
    else:
        _skip_operating_points(bits)
    widths = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(widths[0]) + 1, bits.take(widths[1]) + 1


def _skip_operating_points(bits: _Bits) -> None:
    delay_bits = 0
    if bits.take(1):  # timing
        bits.take(64)
        if bits.take(1):
            _skip_uvlc(bits)
        if bits.take(1):  # a model of the decoder
            delay_bits = bits.take(5) + 1
            bits.take(42)
    delayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay_bits and bits.take(1):
            bits.take(2 * delay_bits + 1)
        if delayed and bits.take(1):
            bits.take(4)


def _skip_uvlc(bits: _Bits) -> None:
    zeros = 0
    while not bits.take(1):
        zeros += 1
    bits.take(zeros if zeros < 32 else 0)
