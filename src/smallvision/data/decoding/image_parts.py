"""What a picture file needs to be decoded, apart from all else that it holds.

Profiles, comments, previews, further frames and the like are left out before a decoder sees the
file: they change no pixel here, and decoders spend minutes on those that were made to be slow. The
camera's orientation is all that is read of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from smallvision.data.decoding.pixels.avif import MAX_ITEMS, measure_coded
from smallvision.data.decoding.pixels.tiff import split_tiff

MAX_PARTS = 400_000  # chunks, segments and blocks; a GIF of 16 million pixels may have 100,000
MAX_COMMENTS = 1000  # of a picture that is written as text
MAX_SCANS = 32  # of a JPEG; progressive ones usually have 10
ORIENTATION = 0x0112
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)([1-8])")
_AVIF = (b"ftypavif", b"ftypavis", b"ftypmif1", b"ftypmsf1")
_PNG, _GIF = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a")
# Two zeros, markers of restarts and filling bytes are part of the pixels.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
# No step is taken back, which would need memory for each.
_PNM_HEADER = re.compile(
    rb"(P[14])%s(\d{1,9})%s(\d{1,9})\s|(P[2356])%s(\d{1,9})%s(\d{1,9})%s(\d{1,5})\s"
    % ((rb"(?:\s++|#[^\r\n]*+[\r\n])++",) * 5)
)
# Progressive, lossless and arithmetic frames of JPEG.
_FRAMES = frozenset((0xC2, 0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
# Segments of applications, but for those that tell the colours, and comments. The end and markers
# without content are left out too.
_LEFT_OUT = frozenset((0x01, 0xD8, 0xD9, *range(0xE1, 0xEE), 0xEF, 0xFE))
# Segments that are kept as they are: tables, baseline frames, and those that tell the colours.
_PLAIN = frozenset((0xC0, 0xC1, 0xC4, *range(0xDB, 0xE1), 0xEE))
_COMMENT = re.compile(rb"#[^\r\n]*")


@dataclass
class Parts:
    """The parts of a picture file that are kept.

    Attributes:
        kept: spans of the file.
        orientation: of the camera, from 1 to 8 as EXIF counts; 1 is upright.
        scans: passes over all pixels, of a JPEG.
        whole: whether a JPEG has to be held whole to be decoded, as progressive ones are.
        coded: pixels of the largest picture in an AVIF file, and of all together.
    """

    kept: list[bytes | memoryview] = field(default_factory=list)
    orientation: int = 1
    scans: int = 1
    whole: bool = False
    coded: tuple[int, int] = (0, 0)


def take_apart(data: bytes) -> Parts:
    """Find what a decoder needs in the bytes of a picture; other formats are kept whole.

    Raises:
        ValueError: it has more parts or scans than any picture, or is cut short.
    """
    for begins, split in _FORMATS:
        if data.startswith(begins, 4 if split is _split_avif else 0):
            try:
                return split(data)
            except (IndexError, struct.error) as error:
                raise ValueError("it is cut short") from error
    return Parts([data])


def find_orientation(exif: bytes) -> int:
    """The orientation in EXIF data: only their first directory is looked at.

    Returns: 1 to 8; 1, which is upright, where it says nothing or is damaged.
    """
    exif = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for i in range(count):
            tag, kind, values = struct.unpack_from(f"{order}HHI", exif, start + 2 + 12 * i)
            if (tag, kind, values) == (ORIENTATION, 3, 1):
                (value,) = struct.unpack_from(f"{order}H", exif, start + 10 + 12 * i)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _find_in_xmp(xmp: bytes) -> int:
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1


def _count(steps: Iterator[int]) -> None:
    if next(steps) >= MAX_PARTS:
        raise ValueError(f"it has more than {MAX_PARTS:,} parts")


def _split_jpeg(data: bytes) -> Parts:
    """Frames, tables and scans; of the applications' segments only those that tell the colours."""
    view, parts = memoryview(data), Parts(scans=0)
    begin, at, xmp = 0, 2, 1  # `begin` is that of a stretch of kept segments
    last = len(data) - 3
    for _ in range(MAX_PARTS):
        if at < last and data[at] == 0xFF and data[at + 1] in _PLAIN:
            at += 2 + max(data[at + 2] << 8 | data[at + 3], 2)
            continue
        start = _find_marker(data, at)
        code = data[start + 1] if start < len(data) else 0xD9
        if start > at or code in _LEFT_OUT:
            parts.kept.append(view[begin:at])
            begin = start
        if code == 0xD9:
            break
        if code in (0x01, 0xD8):  # without content
            begin = at = start + 2
            continue
        at = end = start + 2 + max(data[start + 2] << 8 | data[start + 3], 2)
        if code == 0xE1:
            content = data[start + 4 : end]
            if content.startswith(b"Exif\x00\x00"):
                parts.orientation = find_orientation(content)
            else:
                xmp = max(xmp, _find_in_xmp(content))
        elif code == 0xDA:
            parts.scans += 1
            if parts.scans > MAX_SCANS:
                raise ValueError(f"it has more than {MAX_SCANS} scans")
            at = _find_marker(data, end)
        # Anything but the frame of a baseline JPEG, with all colours in one scan.
        if code in _FRAMES or parts.scans > 1:
            parts.whole = True
        if code in _LEFT_OUT:
            begin = at
    else:
        raise ValueError(f"it has more than {MAX_PARTS:,} parts")
    parts.kept.append(b"\xff\xd9")
    if parts.orientation == 1:
        parts.orientation = xmp
    return parts


def _find_marker(data: bytes, at: int) -> int:
    """Where the next marker of a JPEG begins, from some place on, or the end of the data."""
    found = _JPEG_MARKER.search(data, at)
    return found.start() if found else len(data)


def _split_png(data: bytes) -> Parts:
    """The chunks that pixels are made from."""
    view, parts = memoryview(data), Parts([data[:8]])
    steps = iter(range(MAX_PARTS + 1))
    at, xmp = 8, 1
    while at < len(data):
        _count(steps)
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if kind == b"eXIf":
            parts.orientation = find_orientation(data[at + 8 : end - 4])
        elif kind == b"iTXt" and data.startswith(b"XML:com.adobe.xmp", at + 8):
            xmp = max(xmp, _find_in_xmp(data[at + 8 : end]))
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            parts.kept.append(view[at:end])
        if kind == b"IEND":
            break
        at = end
    if parts.orientation == 1:
        parts.orientation = xmp
    return parts


def _split_webp(data: bytes) -> Parts:
    """The chunks of the pixels; the container is told that there are no others."""
    if data[8:12] != b"WEBP":
        return Parts([data])
    view, parts = memoryview(data), Parts()
    steps = iter(range(MAX_PARTS + 1))
    at, xmp, length = 12, 1, 4
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while at + 8 <= end:
        _count(steps)
        kind, size = struct.unpack_from("<4sI", data, at)
        follows = at + 8 + size + size % 2
        if kind == b"EXIF":
            parts.orientation = find_orientation(data[at + 8 : follows])
        elif kind == b"XMP ":
            xmp = _find_in_xmp(data[at + 8 : follows])
        elif kind == b"VP8X":
            flags = data[at + 8] & ~0x2C  # no profile, EXIF or XMP
            parts.kept += [view[at : at + 8], bytes([flags]), view[at + 9 : follows]]
        elif kind in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"):
            parts.kept.append(view[at:follows])
        at = follows
    length += sum(len(part) for part in parts.kept)
    parts.kept.insert(0, b"RIFF" + struct.pack("<I", length) + b"WEBP")
    if parts.orientation == 1:
        parts.orientation = xmp
    return parts


def _split_gif(data: bytes) -> Parts:
    """The screen, the first frame, and what controls it."""
    view = memoryview(data)
    steps = iter(range(MAX_PARTS + 1))
    at = 13 + _palette_bytes(data[10])
    head, control = view[:at], view[:0]
    while True:
        start, kind = at, data[at]
        if kind == 0x2C:
            at += 10 + _palette_bytes(data[at + 9]) + 1
        elif kind == 0x21:
            at += 2
        else:
            raise ValueError("it holds no frame")
        while size := data[at : at + 1]:
            _count(steps)
            at += 1 + size[0]
            if not size[0]:
                break
        if kind == 0x2C:
            return Parts([head, control, view[start:at], b";"])
        if data[start + 1] == 0xF9:
            control = view[start:at]


def _split_tiff(data: bytes) -> Parts:
    kept, orientation = split_tiff(data)
    return Parts(kept, orientation if 1 <= orientation <= 8 else 1)


def _split_avif(data: bytes) -> Parts:
    """The file without its EXIF data, of which the decoder makes the orientation's own.

    An animation is told to be a picture, so that only its first frame is decoded.
    """
    (first,) = struct.unpack_from(">I", data)
    found = data.find(b"meta", first, first + 64)
    if found < 0:
        raise ValueError("it is cut short")
    (size,) = struct.unpack_from(">I", data, found - 4)
    end = min(len(data), found - 4 + size)
    if data.count(b"infe", found, end) > MAX_ITEMS:
        raise ValueError(f"it has more than {MAX_ITEMS:,} parts")
    view, brands = memoryview(data), data[:first].replace(b"avis", b"avif")
    meta = data[found:end].replace(b"Exif", b"skip")
    return Parts([brands, view[first:found], meta, view[end:]], coded=measure_coded(data))


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _split_pnm(data: bytes) -> Parts:
    """The header, and pixels written as text, without comments, which take a decoder long."""
    found = _PNM_HEADER.match(data)
    if found is None:
        raise ValueError("it has no header of a PPM, PGM or PBM file")
    fields = [part for part in found.groups() if part is not None]
    header, pixels = b" ".join(fields) + b"\n", memoryview(data)[found.end() :]
    if fields[0] in (b"P1", b"P2", b"P3") and b"#" in data:
        if data.count(b"#") > MAX_COMMENTS:
            raise ValueError(f"it has more than {MAX_COMMENTS:,} comments")
        return Parts([header, _COMMENT.sub(b" ", pixels)])
    return Parts([header, pixels] if b"#" in found[0] else [data])


_FORMATS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes], Parts]], ...] = (
    (b"\xff\xd8", _split_jpeg),
    (_PNG, _split_png),
    (b"RIFF", _split_webp),
    (_GIF, _split_gif),
    (b"P", _split_pnm),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _split_tiff),
    (_AVIF, _split_avif),
)
