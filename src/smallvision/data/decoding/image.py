"""Pictures from untrusted bytes: a few formats, a limit of pixels, and two modes."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from typing import Any, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from smallvision.data.decoding.image_parts import Parts, find_orientation, take_apart
from smallvision.data.decoding.pixels.decoded import DEEPEST, Decoded
from smallvision.errors import DataError

# Formats that only hold pixels. EPS, SVG and the like need interpreters. Of TIFF, which can hold
# nearly anything, what is decoded is bounded in `pixels/tiff.py`.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM", "TIFF") + (
    ("AVIF",) if features.check("avif") else ()
)
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".pbm"),
    *(".tif", ".tiff", ".avif"),
)
USUAL_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}  # where it is not the name of the format
MAX_PIXELS = 16_000_000
# An uncompressed picture with transparency takes 4 bytes per pixel, and the file is held twice.
MAX_FILE_BYTES = 4 * MAX_PIXELS + 1_000_000
# The decoders of these formats hold far more than the pixels: JPEG all coefficients, WebP canvases.
MAX_BYTES = {"JPEG": 32_000_000, "WEBP": 24_000_000, "AVIF": 8_000_000}
MAX_CANVAS_PIXELS = {"WEBP": 12_500_000, "AVIF": 12_500_000}
MOST_LAYERS = 3  # of an AVIF picture: colours, transparency and a map of brightness
# A baseline JPEG is decoded row by row, and at an eighth of its size if no more is needed.
MAX_PHOTO_PIXELS, MAX_PHOTO_BYTES = 120_000_000, MAX_FILE_BYTES
MAX_DEEP_PIXELS = 12_000_000  # in colour with 16 bits for each value, which are decoded twice
# Text for pixels, run lengths in BMP and odd depths of PPM are decoded in Python.
SLOW_PIXELS, SLOW_BYTES = 500_000, 4_000_000
# A picture is reduced to its last size from at least so many times as many pixels a side.
KEPT_DETAIL = 2
BAND = 1_000_000  # pixels that are blended at a time
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset(TURNS[orientation] for orientation in (5, 6, 7, 8))
_DEEP_COLOUR = re.compile(r"(RGBA?|RGBX);16([LBN])")
_OTHER_ORDER = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
Found = TypeVar("Found")
_IGNORED = [("ignore", None, Warning, None, 0)]  # what `catch_warnings` puts first
_UNREADABLE = {b"ftypheic": "HEIC", b"ftypheix": "HEIC", b"ftypmif1": "HEIC"}


def decode_picture(data: bytes, name: str) -> Image.Image:
    """Decode one picture by itself, upright, as mode "L" (grey) or "RGB"; see `decode`.

    Values of 16 bits are reduced to their upper 8.
    """
    return decode(data, name).reduce(DEEPEST)


def decode(data: bytes, name: str, *, side: int | None = None) -> Decoded:
    """Decode one picture, upright.

    What the file claims is checked before any pixel is decoded, and what else it holds is left out
    before that. Of an animation the first frame is taken; transparent pixels are blended with
    white.

    Args:
        data: the bytes of a PNG, JPEG, WebP, BMP, GIF, PPM, TIFF or AVIF file.
        name: what to call the picture in an error.
        side: the larger side in pixels of what the picture will be reduced to. A JPEG is then
            decoded with fewer pixels where it has many more, and may have up to 120 million.

    Raises:
        DataError: not a picture in these formats, damaged, over 16 million pixels, or made to take
            long.
    """
    return _look_into(data, name, lambda parts: _decode(parts, name, side))


def read_size(data: bytes, name: str) -> tuple[int, int]:
    """`(width, height)` of a picture, upright, without decoding it.

    Raises:
        DataError: not a picture, or one whose beginning is damaged.
    """

    def measure(parts: Parts) -> tuple[int, int]:
        with _open(parts) as picture:
            return _upright(picture.size, _find_turn(picture, parts))

    return _look_into(data, name, measure)


def find_suffix(data: bytes, name: str) -> str:
    """The usual suffix of a picture's format, such as `.png`, whatever its file is called.

    Raises:
        DataError: not a picture, or one whose beginning is damaged.
    """

    def find(parts: Parts) -> str:
        with _open(parts) as picture:
            return picture.format or ""

    kind = _look_into(data, name, find)
    return USUAL_SUFFIXES.get(kind, f".{kind.lower()}")


def quietly() -> AbstractContextManager[object]:
    """Ignore warnings: Pillow's are of irregularities that do not matter, or of checked sizes.

    Around many pictures it saves a tenth of the time of each.
    """
    if warnings.filters[:1] == _IGNORED:
        return nullcontext()
    return warnings.catch_warnings(action="ignore")


def _look_into(data: bytes, name: str, look: Callable[[Parts], Found]) -> Found:
    """What a function finds in the parts of a picture; whatever it raises becomes one line.

    Raises:
        DataError: the picture is empty, too large or damaged.
    """
    if not data:
        raise DataError(f"{name} is empty (0 bytes); replace or remove it")
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"{name} has {len(data):,} bytes; expected at most {MAX_FILE_BYTES:,}")
    try:
        with quietly():
            return look(take_apart(data))
    except DataError:
        raise
    except Exception as error:
        raise _explain(error, data, name) from error


def _explain(error: Exception, data: bytes, name: str) -> DataError:
    """Say in one line, with the name of the picture, what is wrong with it.

    Damaged bytes make decoders raise nearly any exception.
    """
    if isinstance(error, Image.DecompressionBombError):
        return DataError(_too_large(name))
    if isinstance(error, UnidentifiedImageError):
        known = _UNREADABLE.get(data[4:12])
        return DataError(
            f"{name} is a {known} picture, which cannot be read here; save it as JPEG"
            if known
            else f"{name} is no {', '.join(FORMATS)} picture; replace or remove it"
        )
    return DataError(
        f"{name} cannot be read as {', '.join(FORMATS)} ({error}); replace or remove it"
    )


def _open(parts: Parts) -> Image.Image:
    kept = parts.kept
    content = kept[0] if len(kept) == 1 else b"".join(kept)
    return Image.open(BytesIO(content), formats=FORMATS)


def _decode(parts: Parts, name: str, side: int | None) -> Decoded:
    with _open(parts) as picture:
        turn = _find_turn(picture, parts)
        size = _upright(picture.size, turn)
        _check_claims(picture, parts, name, scaled=side is not None)
        if side is not None and picture.format == "JPEG":
            if min(picture.size) >= 2 * KEPT_DETAIL * side:  # from where on it makes a difference
                picture.draft(None, (KEPT_DETAIL * side, KEPT_DETAIL * side))
            if picture.width * picture.height > MAX_PIXELS:
                raise DataError(_too_large(name))
        if deep := _decode_deep(picture, parts, name):
            bands = deep
        else:
            picture.load()
            bands = (_simplify(picture),)
    peak = max(int(np.asarray(band).max()) for band in bands) if deep else None
    if turn is not None:
        bands = tuple(band.transpose(turn) for band in bands)
    return Decoded(bands, size, peak)


def _find_turn(picture: Image.Image, parts: Parts) -> Image.Transpose | None:
    if picture.format == "AVIF":  # whose own turns come as EXIF data
        return TURNS.get(find_orientation(picture.info.get("exif", b"")))
    return TURNS.get(parts.orientation)


def _upright(size: tuple[int, int], turn: Image.Transpose | None) -> tuple[int, int]:
    width, height = size
    return (height, width) if turn in SIDEWAYS else (width, height)


def _check_claims(picture: Image.Image, parts: Parts, name: str, *, scaled: bool) -> None:
    pixels, size = picture.width * picture.height, sum(map(len, parts.kept))
    kind = picture.format or ""
    photo = kind == "JPEG" and scaled and not parts.whole
    if pixels > (MAX_PHOTO_PIXELS if photo else MAX_PIXELS):
        raise DataError(_too_large(name, photo=photo))
    most = MAX_CANVAS_PIXELS.get(kind, MAX_PIXELS)
    largest, together = parts.coded
    if largest > most or together > MOST_LAYERS * most:
        raise DataError(
            f"{name} claims {pixels:,} pixels and holds {together:,}; expected at most {most:,} in "
            f"each of {MOST_LAYERS} layers"
        )
    if pixels > most and not photo:
        called = {"WEBP": "WebP"}.get(kind, kind)
        raise DataError(
            f"{name} has {pixels:,} pixels; expected at most {most:,} of a {called} picture"
        )
    most = MAX_PHOTO_BYTES if photo else MAX_BYTES.get(kind, MAX_FILE_BYTES)
    if size > most:
        raise DataError(f"{name} has {size:,} bytes of pixels; expected at most {most:,}")
    slow = any(tile.codec_name in Image.DECODERS for tile in getattr(picture, "tile", ()))
    if slow and (pixels > SLOW_PIXELS or size > SLOW_BYTES):
        raise DataError(
            f"{name} keeps {pixels:,} pixels in {size:,} bytes in a slow form (plain text, run "
            f"lengths or an odd depth); expected at most {SLOW_PIXELS:,} in {SLOW_BYTES:,}, or "
            "another form, such as PNG"
        )
    if picture.mode == "F":
        raise ValueError("floating-point pixels")


def _decode_deep(picture: Image.Image, parts: Parts, name: str) -> tuple[Image.Image, ...] | None:
    """The bands of a picture with values of 16 bits, of mode "I;16", or None of any other."""
    if picture.mode.startswith("I"):
        picture.load()
        values = np.asarray(picture)
        if values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 0xFFFF):
            raise ValueError("values below 0 or beyond 16 bits")
        return (Image.fromarray(values.astype(np.uint16)),)
    other = _swap_bytes(picture)
    if other is None:
        return None
    if picture.width * picture.height > MAX_DEEP_PIXELS:
        raise DataError(
            f"{name} has {picture.width * picture.height:,} pixels of 16 bits in colour; expected "
            f"at most {MAX_DEEP_PIXELS:,}"
        )
    # Pillow knows no colours of 16 bits: it reads one byte of each value. Read as if the other
    # byte came first, the file gives the other half.
    with _open(parts) as second:
        vars(second)["tile"] = other
        low = list(second.split())
    high = list(picture.split())
    if len(high) == 4 and high[3].getextrema() != (255, 255):
        return None  # transparent, which is blended with white as 8 bits
    bands = []
    for _ in range(3):
        values = np.asarray(high.pop(0)).astype(np.uint16)
        values <<= 8
        values |= np.asarray(low.pop(0))
        bands.append(Image.fromarray(values))
    return tuple(bands)


def _swap_bytes(picture: Image.Image) -> list[Any] | None:
    """The tiles of a picture of 16 bits in colour, with the bytes of each value exchanged."""
    swapped = []
    for tile in getattr(picture, "tile", ()):
        args = tile.args
        raw = args if isinstance(args, str) else args[0] if args else ""
        found = _DEEP_COLOUR.fullmatch(str(raw))
        if found is None:
            return None
        other = f"{found[1]};16{_OTHER_ORDER[found[2]]}"
        swapped.append(tile._replace(args=other if isinstance(args, str) else (other, *args[1:])))
    return swapped or None


def _too_large(name: str, *, photo: bool = False) -> str:
    most = MAX_PHOTO_PIXELS if photo else MAX_PIXELS
    return f"{name} has more than {most:,} pixels; make it smaller or remove it"


def _simplify(picture: Image.Image) -> Image.Image:
    """Grey pictures as "L", all others as "RGB"."""
    mode = "L" if _is_grey(picture) else "RGB"
    if picture.has_transparency_data:
        return _blend(picture, mode)
    return picture if picture.mode == mode else picture.convert(mode)


def simplify_picture(picture: Image.Image) -> Image.Image:
    """A picture that is open already as mode "L" (grey) or "RGB", on white."""
    return _simplify(picture)


def _blend(picture: Image.Image, mode: str) -> Image.Image:
    """Lay a picture on white, in bands, since a whole one takes four times its memory."""
    blended = Image.new(mode, picture.size)
    width, height = picture.size
    rows = max(1, BAND // width)
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(height, top + rows))).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        blended.paste(Image.alpha_composite(white, band).convert(mode), (0, top))
    return blended


def _is_grey(picture: Image.Image) -> bool:
    if picture.mode == "P":
        palette = np.reshape(picture.getpalette("RGB") or [0, 0, 0], (-1, 3))
        return bool((palette == palette[:, :1]).all())
    return picture.mode in ("1", "L", "LA", "La")
