"""Pictures from untrusted bytes: a few formats, a limit of pixels, and two modes."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from smallvision.data.decoding.image_parts import Parts, take_apart
from smallvision.errors import DataError

# Formats that only hold pixels. TIFF, EPS, SVG and the like need large decoders or interpreters,
# and hardly anybody keeps small images in them.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".pbm")
MAX_PIXELS = 16_000_000
# An uncompressed picture with transparency takes 4 bytes per pixel, and the file is held twice.
MAX_FILE_BYTES = 4 * MAX_PIXELS + 1_000_000
# The decoders of these formats hold far more than the pixels: JPEG all coefficients, WebP canvases.
MAX_BYTES = {"JPEG": 32_000_000, "WEBP": 24_000_000}
MAX_WEBP_PIXELS = 12_500_000
# Text for pixels, run lengths in BMP and odd depths of PPM are decoded in Python.
SLOW_PIXELS, SLOW_BYTES = 500_000, 4_000_000
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


def decode_picture(data: bytes, name: str) -> Image.Image:
    """Decode one picture, upright, as mode "L" (grey) or "RGB".

    What the file claims is checked before any pixel is decoded, and what else it holds is left out
    before that. Of an animation the first frame is taken; transparent pixels are blended with
    white.

    Args:
        data: the bytes of a PNG, JPEG, WebP, BMP, GIF or PPM file.
        name: what to call the picture in an error.

    Raises:
        DataError: not a picture in these formats, damaged, over 16 million pixels, or made to take
            long.
    """
    if not data:
        raise DataError(f"{name} is empty (0 bytes); replace or remove it")
    if len(data) > MAX_FILE_BYTES:
        raise DataError(f"{name} has {len(data):,} bytes; expected at most {MAX_FILE_BYTES:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of irregularities that do not matter
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            parts = take_apart(data)
            return _turn_upright(_decode(parts, name), parts.orientation)
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        raise DataError(
            f"{name} is no {', '.join(FORMATS)} picture; replace or remove it"
        ) from error
    except Exception as error:
        # Damaged bytes make decoders raise nearly any exception.
        raise DataError(
            f"{name} cannot be read as {', '.join(FORMATS)} ({error}); replace or remove it"
        ) from error


def _decode(parts: Parts, name: str) -> Image.Image:
    kept = parts.kept
    content = kept[0] if len(kept) == 1 else b"".join(kept)
    with Image.open(BytesIO(content), formats=FORMATS) as picture:
        _check_claims(picture, len(content), name)
        picture.load()
        return _simplify(picture)


def _check_claims(picture: Image.Image, size: int, name: str) -> None:
    pixels = picture.width * picture.height
    if pixels > MAX_PIXELS:
        raise DataError(_too_large(name))
    if picture.format == "WEBP" and pixels > MAX_WEBP_PIXELS:
        raise DataError(
            f"{name} has {pixels:,} pixels; expected at most {MAX_WEBP_PIXELS:,} of a WebP picture"
        )
    most = MAX_BYTES.get(picture.format or "", MAX_FILE_BYTES)
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


def _too_large(name: str) -> str:
    return f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller or remove it"


def _turn_upright(picture: Image.Image, orientation: int) -> Image.Image:
    turn = TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _simplify(picture: Image.Image) -> Image.Image:
    """Grey pictures as "L", all others as "RGB"."""
    if picture.mode.startswith("I"):
        return _reduce_depth(picture)
    mode = "L" if _is_grey(picture) else "RGB"
    if picture.has_transparency_data:
        return _blend(picture, mode)
    return picture.convert(mode)


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


def _reduce_depth(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8-bit; Pillow's own conversion would clip at 255."""
    depth = np.array(picture)
    np.clip(depth, 0, 65535, out=depth)
    depth >>= 8
    return Image.fromarray(depth.astype(np.uint8))


def _is_grey(picture: Image.Image) -> bool:
    if picture.mode == "P":
        palette = np.reshape(picture.getpalette("RGB") or [0, 0, 0], (-1, 3))
        return bool((palette == palette[:, :1]).all())
    return picture.mode in ("1", "L", "LA", "La")
