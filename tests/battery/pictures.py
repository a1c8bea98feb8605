"""Pictures as they come: mutated, cut, bombs, and all the shapes that formats allow."""

from __future__ import annotations

import random
import struct
import time
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from smallvision.data.decoding.image import decode_picture
from smallvision.errors import UserError
from tests.battery.outcome import Outcome

PROMISE = (
    "Any bytes given as a picture are one, or one clear error; nothing above 16 million pixels is "
    "decoded whole."
)
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF")


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Decode mutated pictures and those made by hand; a picture or one line, in a second."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    seeds = [save(make_pixels(mode, seed), kind) for mode in ("L", "RGB") for kind in FORMATS]
    cases = [(f"made by hand: {name}", data, wanted) for name, data, wanted in make_by_hand()]
    cases += [(f"mutated {n}", mutate(draw.choice(seeds), draw), None) for n in range(trials)]
    for name, data, wanted in cases:
        with outcome.trial(name):
            began = time.perf_counter()
            try:
                picture = decode_picture(data, "it")
            except UserError as error:
                outcome.expect("\n" not in str(error), f"{name}: more than one line")
                outcome.expect(wanted is not True, f"{name}: refused: {error}")
                outcome.count("refused")
            else:
                outcome.expect(picture.mode in ("L", "RGB"), f"{name}: mode {picture.mode}")
                outcome.expect(wanted is not False, f"{name}: accepted")
                outcome.count("decoded")
            seconds = time.perf_counter() - began
            outcome.most("slowest, seconds", round(seconds, 2))
            outcome.expect(seconds < 2, f"{name}: took {seconds:.1f} s")
    return outcome


def make_pixels(mode: str, seed: int, size: tuple[int, int] = (32, 24)) -> Image.Image:
    """A picture of noise and a gradient."""
    rng = np.random.default_rng(seed)
    channels = {"L": 1, "RGB": 3, "RGBA": 4, "CMYK": 4, "LA": 2}[mode]
    pixels = rng.integers(0, 255, (size[1], size[0], channels)).astype(np.uint8)
    return (
        Image.fromarray(pixels.squeeze(), mode if mode != "LA" else None).convert(mode)
        if (mode != "LA")
        else Image.merge("LA", [Image.fromarray(pixels[..., i]) for i in range(2)])
    )


def save(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file."""
    buffer = BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def mutate(data: bytes, draw: random.Random) -> bytes:
    """Flip, cut, double, drop or overwrite some of a file, a few times."""
    content = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(content)) if content else 0
        span = draw.randint(1, 16)
        kind = draw.randrange(6)
        if kind == 0 and content:
            content[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            content[at : at + span] = draw.randbytes(span)
        elif kind == 2:
            del content[at : at + span]
        elif kind == 3:
            content[at:at] = content[at : at + span]
        elif kind == 4:
            content[at : at + 4] = struct.pack(
                ">I", draw.choice((0, 1, 2**16, 2**31 - 1, 2**32 - 1))
            )
        else:
            content = content[: max(1, at)]
    return bytes(content)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def make_png(width: int, height: int, depth: int, color: int, pixels: bytes, *more: bytes) -> bytes:
    """A PNG file by hand."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def make_by_hand() -> Iterator[tuple[str, bytes, bool | None]]:
    """Forty pictures: name, content, and whether it is one (None where either is right)."""
    for mode in ("L", "RGB", "RGBA", "LA"):
        yield f"PNG {mode}", save(make_pixels(mode, 1), "PNG"), True
    for mode in ("L", "RGB", "CMYK"):
        yield f"JPEG {mode}", save(make_pixels(mode, 1), "JPEG"), True
    for mode in ("RGB", "RGBA"):
        yield f"WebP {mode}", save(make_pixels(mode, 1), "WEBP"), True
    yield "lossless WebP", save(make_pixels("RGB", 1), "WEBP", lossless=True), True
    yield "progressive JPEG", save(make_pixels("RGB", 1), "JPEG", progressive=True), True
    yield "BMP", save(make_pixels("RGB", 1), "BMP"), True
    yield "GIF", save(make_pixels("RGB", 1).quantize(16), "GIF"), True
    palette = make_pixels("RGB", 1).quantize(16)
    yield "palette", save(palette, "PNG"), True
    yield "palette with alpha", save(palette, "PNG", transparency=3), True
    yield "one bit", save(make_pixels("L", 1).convert("1"), "PNG"), True
    deep = Image.fromarray(np.arange(32 * 24, dtype=np.uint16).reshape(24, 32) * 80)
    yield "16-bit grey", save(deep, "PNG"), True
    yield "16-bit colour", make_png(8, 8, 16, 2, (b"\0" + b"\x80\x01" * 24) * 8), True
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        yield f"turned {turn}", save(make_pixels("RGB", 1), "JPEG", exif=exif), True
    yield "damaged EXIF", save(make_pixels("RGB", 1), "JPEG", exif=b"Exif\0\0garbage"), None
    frames = [make_pixels("RGB", n).quantize(16) for n in range(300)]
    yield "animated GIF", save(frames[0], "GIF", save_all=True, append_images=frames[1:]), True
    frames = [make_pixels("RGB", n) for n in range(50)]
    yield "animated WebP", save(frames[0], "WEBP", save_all=True, append_images=frames[1:]), True
    yield "animated PNG", save(frames[0], "PNG", save_all=True, append_images=frames[1:]), True
    yield "no bytes", b"", False
    yield "cut after the header", save(make_pixels("RGB", 1), "PNG")[:60], False
    yield "text", b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 20, False
    yield "PostScript", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", False
    yield "TIFF", save(make_pixels("RGB", 1), "TIFF"), True
    yield "packed TIFF", save(make_pixels("RGB", 1), "TIFF", compression="tiff_lzw"), True
    yield "deep TIFF", save(deep, "TIFF", compression="tiff_adobe_deflate"), True
    yield "icon", save(make_pixels("RGB", 1), "ICO"), False
    yield "square bomb", make_png(9000, 9000, 8, 0, bytes(9001 * 9000)), False
    yield "flat bomb", make_png(10_000_000, 10, 8, 0, bytes(10_000_001 * 10)), False
    yield "a pixel too wide", make_png(2**31 - 1, 1, 8, 0, b"\0"), False
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
    yield "text bomb", make_png(8, 8, 8, 0, bytes(72), text), None
    profile = chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(200_000_000), 9))
    yield "profile bomb", make_png(8, 8, 8, 0, bytes(72), profile), None
    yield "too many pixels in a chunk", make_png(8, 8, 8, 0, bytes(50_000_000)), None
    yield "no size", make_png(0, 8, 8, 0, b""), False
