"""Pictures that claim pixels, scans, parts and metadata."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from smallvision.data.decoding.image import FORMATS
from tests.battery.bounds_case import Case, fifo, hole, link, look, put
from tests.battery.pictures import chunk, make_png

PIXEL_ROWS = bytes(72)  # of a grey PNG of 8 by 8


def list_pictures() -> Iterator[Case]:
    """Pictures of every format: those to refuse, then those to accept."""
    for kind, name, content, says, slow in (*list_refused(), *list_accepted()):
        suffix = {"jpeg": "jpg"}.get(kind, kind)

        def make(folder: Path, build: Callable[[], bytes] = content, end: str = suffix) -> Path:
            return put(f"it.{end}", build())(folder)

        yield Case(kind, name, make, look, says, slow=slow)
    yield Case("files", "a pipe", fifo("it.png"), look, "no regular file")
    yield Case("files", "a link to a device", link("it.png", "/dev/zero"), look, "no regular file")
    yield Case("files", "10 GB of nothing", hole("it.png", 10**10), look, "at most 65,000,000")
    yield Case(
        "files", "65 MB of a PPM", hole("it.ppm", 65_000_001, b"P6 8 8 255 "), look, "at most 65"
    )


Picture = tuple[str, str, Callable[[], bytes], str | None, bool]


def list_refused() -> Iterator[Picture]:
    """Pictures that are valid but for a claim."""
    scans, parts, pixels = "more than 32 scans", "more than 400,000 parts", "16,000,000 pixels"
    for count, side in ((33, 32), (200, 4000), (5000, 500), (10_000, 32)):
        yield (
            "jpeg",
            f"{count} scans of {side} pixels",
            lambda c=count, s=side: repeat_scan(s, c),
            scans,
            False,
        )
    yield "jpeg", "comments", lambda: insert(jpeg(), 2, b"\xff\xfe\0\2" * 400_001), parts, False
    yield "jpeg", "restarts of images", lambda: b"\xff\xd8" * 400_100 + jpeg(), parts, False
    most = "120,000,000 pixels"
    yield "jpeg", "65,000 pixels a side", lambda: resize_jpeg(65_000, 65_000), pixels, False
    yield "jpeg", "a line too many", lambda: resize_jpeg(12_001, 10_000), most, False
    deep = lambda: resize_jpeg(4001, 4000, progressive=True)  # noqa: E731
    yield "jpeg", "a pixel too many in scans", deep, pixels, False
    noise = lambda: jpeg(progressive=True)[:-2] + b"\xff\0" * 16_500_000 + b"\xff\xd9"  # noqa: E731
    yield "jpeg", "33 MB of scans of which none counts", noise, "bytes of pixels", True
    yield "jpeg", "cut in a segment", lambda: jpeg()[:2] + b"\xff\xe1", "cut short", False
    empty = chunk(b"tEXt", b"")
    yield "png", "chunks", lambda: png(empty * 400_001), parts, False
    yield "png", "chunks of pixels", lambda: png(chunk(b"IDAT", b"") * 400_001), parts, False
    yield "png", "2^31 pixels a side", lambda: png(size=(2**31 - 1, 2**31 - 1)), pixels, False
    yield "png", "a pixel too many", lambda: png(size=(4001, 4000)), pixels, False
    yield "png", "a line of pixels", lambda: png(size=(16_000_001, 1)), pixels, False
    yield "png", "cut in a chunk", lambda: png()[:10], "cut short", False
    comment = b"\x21\xfe\x01a\x00"
    yield "gif", "comments", lambda: gif(comment * 210_000), parts, False
    yield "gif", "a comment in crumbs", lambda: gif(b"\x21\xfe" + b"\1a" * 401_000), parts, False
    screen = lambda: gif()[:6] + b"\xff\xff\xff\xff" + gif()[10:]  # noqa: E731
    yield "gif", "65,535 pixels a side", screen, pixels, False
    yield "gif", "no frame", lambda: gif()[: gif_head()] + b";", "no frame", False
    yield "gif", "cut in its screen", lambda: gif()[:9], "cut short", False
    wide = lambda: save(Image.new("L", (5000, 3000)), "WEBP", quality=1, method=0)  # noqa: E731
    yield "webp", "15 million pixels", wide, "of a WebP picture", False
    yield "webp", "chunks", lambda: webp(b"JUNK\0\0\0\0" * 400_001), parts, False
    claim = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" * 2
    vast = lambda: b"RIFF" + struct.pack("<I", 22) + b"WEBP" + claim  # noqa: E731
    yield "webp", "16,777,216 pixels a side", vast, "16,000,000 pixels", False
    yield "webp", "25 MB of pixels", lambda: pad_webp(25 * 10**6), "bytes of", True
    slow = "in a slow form"
    yield "bmp", "a delta over 16 million", lambda: rle(b"\0\2\xff\xff", 16_000_000, 1), slow, False
    yield "bmp", "runs of one pixel", lambda: rle(b"\1\7" * 2_000_000, 2000, 1000), slow, False
    yield "bmp", "steps of nothing", lambda: rle(b"\0\2\0\0" * 1_000_000, 8, 8), slow, False
    yield "bmp", "runs of nibbles", lambda: rle(b"\xff\x77" * 9000, 1500, 1000, bits=4), slow, False
    yield "bmp", "2^31 pixels a side", lambda: rle(b"", 2**31 - 1, 2**31 - 1), pixels, False
    yield "ppm", "text of 31 MB", lambda: b"P3 4000 4000 255\n" + b"1 " * 15_500_000, slow, True
    yield "ppm", "text of 5 MB", lambda: b"P2 900 900 255\n" + b"1    " * 10**6, slow, False
    yield "ppm", "text of 4 million bits", lambda: b"P1 2000 2000\n" + b"1" * 4 * 10**6, slow, False
    yield "ppm", "an odd depth", lambda: b"P6 2000 1000 254\n" + bytes(6 * 10**6), slow, False
    yield "ppm", "a deep odd depth", lambda: b"P5 2000 1000 999\n" + bytes(4 * 10**6), slow, False
    notes = lambda: b"P2 30 30 255\n" + b"1 # a\n" * 1001  # noqa: E731
    yield "ppm", "comments among pixels", notes, "more than 1,000 comments", False
    yield "ppm", "10^9 pixels a side", lambda: b"P5 999999999 999999999 255\n", pixels, False
    yield "ppm", "a number of 60 digits", lambda: b"P5 " + b"9" * 60 + b" 8 255\n", "header", False
    yield "ppm", "numbers that never come", lambda: b"P5 " + b" " * 10**7, "header", False
    yield "ppm", "floats", lambda: b"Pf\n8 8\n-1.0\n" + bytes(256), "header", False


def list_accepted() -> Iterator[Picture]:
    """Pictures that are large, or hold much besides their pixels, and are honest."""
    photo = (4000, 3000)
    yield "jpeg", "a photo of 102 million pixels", lambda: jpeg((11_648, 8736)), None, True
    yield "jpeg", "a claim of 120 million pixels", lambda: resize_jpeg(12_000, 10_000), None, False
    deep16 = np.ones((4000, 4000), np.uint16)
    for method in (None, "tiff_lzw", "tiff_adobe_deflate"):
        yield (
            "tiff",
            f"16 million deep pixels, {method}",
            lambda m=method: save(Image.fromarray(deep16), "TIFF", compression=m),
            None,
            True,
        )
    glassy = lambda: save(  # noqa: E731
        Image.new("RGBA", (4000, 4000), (9, 9, 9, 9)), "TIFF", compression="tiff_lzw"
    )
    yield "tiff", "16 million transparent pixels", glassy, None, True
    if "AVIF" in FORMATS:
        yield "avif", "12 million pixels", lambda: save(draw(photo), "AVIF", speed=10), None, True
    row = b"\0" + bytes(6 * 4000)
    yield (
        "png",
        "12 million deep colours",
        lambda: make_png(4000, 3000, 16, 2, row * 3000),
        None,
        True,
    )
    yield "jpeg", "a photo of 12 million pixels", lambda: jpeg(photo), None, True
    yield (
        "jpeg",
        "the same in 10 scans",
        lambda: jpeg(photo, progressive=True, subsampling=0),
        None,
        True,
    )
    yield "jpeg", "32 scans of 16 million pixels", lambda: repeat_scan(4000, 32), None, False
    cmyk = lambda: save(Image.new("CMYK", (4000, 4000)), "JPEG", progressive=True)  # noqa: E731
    yield "jpeg", "four inks in scans", cmyk, None, False
    segment = b"\xff\xfe\xff\xff" + bytes(65_533)
    yield "jpeg", "50 MB of comments", lambda: insert(jpeg(), 2, segment * 760), None, True
    yield "jpeg", "5,000 overlapping entries", lambda: jpeg(exif=make_exif(5000)), None, False
    yield "jpeg", "EXIF that leads to itself", lambda: jpeg(exif=make_loop()), None, False
    yield (
        "jpeg",
        "30 MB of filling bytes",
        lambda: insert(jpeg(), 2, b"\xff" * 30_000_000),
        None,
        True,
    )
    yield "jpeg", "a second picture behind it", lambda: jpeg() + jpeg(photo), None, False
    big = chunk(b"eXIf", make_exif(60_000)[6:])
    yield "png", "60,000 overlapping entries", lambda: png(big), None, False
    text = b"a\0\0" + zlib.compress(bytes(60_000_000), 9)
    yield "png", "60 MB of text in 60 kB", lambda: png(chunk(b"zTXt", text)), None, True
    yield "png", "60 MB of profile in 60 kB", lambda: png(chunk(b"iCCP", text)), None, True
    raw = b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n 99\n" + b"00" * 10**7, 9)
    yield "png", "EXIF as packed text", lambda: png(chunk(b"zTXt", raw)), None, False
    yield "png", "300,000 texts", lambda: png(chunk(b"tEXt", b"a\0b") * 300_000), None, False
    glass = lambda: save(Image.new("RGBA", (4000, 4000), (9, 9, 9, 9)), "PNG")  # noqa: E731
    yield "png", "16 million transparent pixels", glass, None, True
    deep = lambda: save(Image.fromarray(np.ones((4000, 4000), np.uint16)), "PNG")  # noqa: E731
    yield "png", "16 million deep pixels", deep, None, True
    turned = lambda: save(Image.new("RGBA", (4000, 4000)), "PNG", exif=turn_exif())  # noqa: E731
    yield "png", "16 million turned pixels", turned, None, True
    yield (
        "gif",
        "50 MB of comments",
        lambda: gif(b"\x21\xfe" + b"\xff" * 51_200_000 + b"\0"),
        None,
        True,
    )
    yield "webp", "60,000 overlapping entries", lambda: webp_exif(60_000), None, False
    lossless = lambda: save(Image.new("RGBA", (4000, 3100)), "WEBP", lossless=True)  # noqa: E731
    yield "webp", "12 million transparent pixels", lossless, None, True
    yield "bmp", "48 MB of colours", lambda: save(Image.new("RGB", (4000, 4000)), "BMP"), None, True
    yield "bmp", "runs", lambda: rle(b"\x20\7\0\0" * 32, 32, 32), None, False
    yield (
        "ppm",
        "text",
        lambda: b"P3 #a\n 32 32 255\n" + b"1 2 3 # px\n" * 900 + b"1 2 3 " * 124,
        None,
        False,
    )
    yield (
        "ppm",
        "a long comment",
        lambda: b"P6 8 8 #" + b"x" * 10**7 + b"\n255\n" + bytes(192),
        None,
        False,
    )
    yield "ppm", "48 MB of colours", lambda: b"P6 4000 4000 255 " + bytes(48 * 10**6), None, True
    yield (
        "ppm",
        "half a million of an odd depth",
        lambda: b"P6 1000 500 9 " + bytes(15 * 10**5),
        None,
        False,
    )


def save(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file."""
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def draw(size: tuple[int, int]) -> Image.Image:
    """A picture with some content."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def jpeg(size: tuple[int, int] = (32, 32), **options: object) -> bytes:
    """A JPEG file."""
    return save(draw(size), "JPEG", **options)


def insert(content: bytes, at: int, more: bytes) -> bytes:
    """Content with more in its midst."""
    return content[:at] + more + content[at:]


def repeat_scan(side: int, count: int) -> bytes:
    """A progressive JPEG whose last scan comes as often as makes up a number of scans."""
    content = save(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    had, last = content.count(b"\xff\xda"), content.rfind(b"\xff\xda")
    return content[:last] + content[last:-2] * (count - had + 1) + b"\xff\xd9"


def resize_jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A JPEG whose header claims another size."""
    content = jpeg(progressive=progressive)
    at = content.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def make_exif(entries: int) -> bytes:
    """EXIF data whose entries all hold the same 60,000 bytes."""
    body = b"".join(
        struct.pack("<HHII", number + 1, 7, min(60_000, 12 * entries), 8)
        for number in range(entries)
    )
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + body + bytes(4)


def make_loop() -> bytes:
    """EXIF data whose directories lead to themselves."""
    entries = [(0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)]
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 3) + body + struct.pack("<I", 8)


def turn_exif() -> bytes:
    """EXIF data of a camera on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def png(*more: bytes, size: tuple[int, int] = (8, 8)) -> bytes:
    """A small grey PNG with more chunks, or one that claims another size."""
    return make_png(*size, 8, 0, PIXEL_ROWS, *more)


@cache
def draw_gif() -> bytes:
    return save(draw((32, 32)).quantize(4), "GIF")


def gif_head() -> int:
    """Where the screen of the GIF ends."""
    return 13 + (3 << ((draw_gif()[10] & 7) + 1))


def gif(more: bytes = b"") -> bytes:
    """A small GIF with more before its frame."""
    return insert(draw_gif(), gif_head(), more)


def webp(more: bytes) -> bytes:
    """A small WebP with more chunks."""
    body = save(draw((32, 32)), "WEBP")[12:]
    header = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\x1f\0\0" * 2
    content = b"WEBP" + header + body + more
    return b"RIFF" + struct.pack("<I", len(content)) + content


def webp_exif(entries: int) -> bytes:
    """A WebP with EXIF data."""
    return save(draw((32, 32)), "WEBP", exif=make_exif(entries))


def pad_webp(size: int) -> bytes:
    """A lossless WebP whose pixels are followed by zeros, which belong to them."""
    pixels = save(draw((32, 32)), "WEBP", lossless=True)[20:]
    content = b"WEBPVP8L" + struct.pack("<I", size) + pixels.ljust(size, b"\0")
    return b"RIFF" + struct.pack("<I", len(content)) + content


def rle(runs: bytes, width: int, height: int, bits: int = 8) -> bytes:
    """A BMP in run lengths."""
    start = 54 + 1024
    header = b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start)
    kind = {8: 1, 4: 2}[bits]
    return (
        header
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, kind, len(runs), 0, 0, 256, 0)
        + bytes(1024)
        + runs
    )
