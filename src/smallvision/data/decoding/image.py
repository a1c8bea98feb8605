"""Pictures from untrusted bytes: a few formats, a limit of pixels, and two modes."""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from smallvision.errors import DataError

# Formats that only hold pixels. TIFF, EPS, SVG and the like need large decoders or interpreters,
# and hardly anybody keeps small images in them.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".pbm")
MAX_PIXELS = 16_000_000


def decode_picture(data: bytes, name: str) -> Image.Image:
    """Decode one picture, upright, as mode "L" (grey) or "RGB".

    The size in the header is checked before any pixel is decoded. Of an animation the first frame
    is taken; transparent pixels are blended with white.

    Args:
        data: the bytes of a PNG, JPEG, WebP, BMP, GIF or PPM file.
        name: what to call the picture in an error.

    Raises:
        DataError: not a picture in these formats, damaged, or over 16 million pixels.
    """
    if not data:
        raise DataError(f"{name} is empty (0 bytes); replace or remove it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of irregularities that do not matter
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(BytesIO(data), formats=FORMATS)
            _check_pixels(picture, name)
            picture.load()
            return _simplify(_turn_upright(picture))
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


def _check_pixels(picture: Image.Image, name: str) -> None:
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise DataError(_too_large(name))


def _too_large(name: str) -> str:
    return f"{name} has more than {MAX_PIXELS:,} pixels; make it smaller or remove it"


def _turn_upright(picture: Image.Image) -> Image.Image:
    """Apply the rotation in the EXIF data; where that is damaged, keep the picture as it is."""
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:
        return picture


def _simplify(picture: Image.Image) -> Image.Image:
    """Grey pictures as "L", all others as "RGB"."""
    if picture.mode == "F":
        raise ValueError("floating-point pixels")
    if picture.mode.startswith("I"):
        return _reduce_depth(picture)
    mode = "L" if _is_grey(picture) else "RGB"
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert(mode)


def _reduce_depth(picture: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8-bit; Pillow's own conversion would clip at 255."""
    depth = np.asarray(picture).astype(np.int64)
    return Image.fromarray((np.clip(depth, 0, 65535) >> 8).astype(np.uint8))


def _is_grey(picture: Image.Image) -> bool:
    if picture.mode == "P":
        palette = np.reshape(picture.getpalette("RGB") or [0, 0, 0], (-1, 3))
        return bool((palette == palette[:, :1]).all())
    return picture.mode in ("1", "L", "LA", "La")
