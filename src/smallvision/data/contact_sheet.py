"""Sheets of images at native pixel size, as PNG; large ones as WebP."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from smallvision.records.files import make_folder, write_bytes
from smallvision.shapes import Images

Picture = npt.NDArray[np.uint8]  # RGBA `(height, width, 4)`
WEBP = ".webp"  # a sheet of many images, which as PNG would be five times as large
MOST_LOSSLESS, QUALITY = 200_000, 85  # bytes up to which a WebP loses nothing; of larger ones


def tile(images: Images, columns: int) -> Picture:
    """Lay images out in rows, with a gap of one transparent pixel.

    Args:
        images: uint8 `(N, C, H, W)`.
        columns: images a row; fewer images make one row, and none an empty place.

    Returns: uint8 `(height, width, 4)`.
    """
    N, _, H, W = images.shape
    columns = max(1, min(columns, N))
    rows = max(1, -(-N // columns))
    sheet = np.zeros((rows * (H + 1) - 1, columns * (W + 1) - 1, 4), dtype=np.uint8)
    for i, pixels in enumerate(images.transpose(0, 2, 3, 1)):
        top, left = i // columns * (H + 1), i % columns * (W + 1)
        sheet[top : top + H, left : left + W, :3] = pixels
        sheet[top : top + H, left : left + W, 3] = 255
    return sheet


def encode_png(picture: Picture) -> bytes:
    """A picture as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture, "RGBA" if picture.shape[2] == 4 else "RGB").save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


def encode_webp(picture: Picture, most_lossless: int = MOST_LOSSLESS) -> bytes:
    """A picture as WebP bytes: as it is where that is small, else with a loss that nobody sees.

    Args:
        picture: RGBA.
        most_lossless: bytes up to which it is kept as it is.
    """
    image = Image.fromarray(picture, "RGBA")
    for settings in ({"lossless": True, "exact": True}, {"quality": QUALITY}):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", method=6, **settings)
        if len(buffer.getvalue()) <= most_lossless:
            break
    return buffer.getvalue()


def write_pictures(folder: Path, pictures: Mapping[str, Picture]) -> None:
    """Write pictures by file name, as PNG or WebP, into a folder, which is made if missing.

    Raises:
        RecordError: the folder cannot be written.
    """
    make_folder(folder)
    for name, picture in pictures.items():
        encode = encode_webp if name.endswith(WEBP) else encode_png
        write_bytes(folder / name, encode(picture))
