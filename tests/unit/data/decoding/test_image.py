"""Pictures: every kind comes out as plain grey or RGB, and no bytes can do harm."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding.image import decode_picture
from smallvision.errors import DataError
from tests.support.sources import encode_picture

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOR = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("PPM", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_come_back_exactly(kind, options):
    picture = decode_picture(encode_picture(COLOR, kind, **options), "x")
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), COLOR)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "GIF", "JPEG"])
def test_grey_stays_grey(kind):
    picture = decode_picture(encode_picture(RAMP, kind), "x")
    assert picture.mode == "L"
    assert np.abs(np.asarray(picture).astype(int) - RAMP).max() <= 8


def test_a_palette_of_colors_becomes_rgb():
    picture = Image.fromarray(COLOR).quantize(16)
    assert decode_picture(encode_picture(picture), "x").mode == "RGB"


def test_transparency_is_laid_on_white():
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, 4:] = (200, 0, 0, 255)
    found = np.asarray(decode_picture(encode_picture(pixels), "x"))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 7].tolist() == [200, 0, 0]


def test_a_transparent_palette_is_laid_on_white():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 255, 255, 0, 0])
    picture.putpixel((0, 0), 1)
    found = np.asarray(decode_picture(encode_picture(picture, transparency=0), "x"))
    assert (found[0, 0].tolist(), found[5, 5].tolist()) == ([255, 0, 0], [255, 255, 255])


def test_grey_with_transparency_stays_grey():
    assert (
        decode_picture(encode_picture(Image.new("LA", (8, 8), (7, 255))), "x").getpixel((0, 0)) == 7
    )


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    deep = np.array([[0, 257 * 100], [257 * 200, 65535]], dtype=np.uint16).repeat(8, 0).repeat(8, 1)
    found = np.asarray(decode_picture(encode_picture(deep, kind), "x"))
    assert found[::8, ::8].tolist() == [[0, 100], [200, 255]]


def test_cmyk_becomes_rgb():
    picture = decode_picture(
        encode_picture(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), "x"
    )
    red, green, blue = picture.getpixel((4, 4))
    assert red > 200 > 60 > max(green, blue)


def test_the_camera_s_rotation_is_applied():
    picture = Image.new("RGB", (20, 10))
    exif = picture.getexif()
    exif[0x0112] = 6
    assert decode_picture(encode_picture(picture, "JPEG", exif=exif), "x").size == (10, 20)


def test_a_damaged_exif_block_does_not_matter():
    content = encode_picture(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\x00\x00garbage")
    assert decode_picture(content, "x").size == (8, 8)


def test_an_animation_gives_its_first_frame():
    frames = [Image.new("L", (8, 8), shade) for shade in (50, 250)]
    content = encode_picture(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode_picture(content, "x").convert("L").getpixel((0, 0)) == 50


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"II*\x00\x08\x00\x00\x00",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
        b"P6 8 8 255 ",
        b"Pf\n8 8\n-1.0\n" + bytes(256),
    ],
)
def test_what_is_no_picture_is_named(content, refuses):
    with refuses("cat/1.png", "replace or remove it"):
        decode_picture(content, "cat/1.png")


def test_other_formats_are_refused(refuses):
    with refuses("x.png"):
        decode_picture(encode_picture(COLOR, "TIFF"), "x.png")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP"])
def test_bombs_are_refused_from_the_header(kind, refuses):
    content = encode_picture(Image.new("1" if kind == "BMP" else "L", (4001, 4000)), kind)
    started = time.perf_counter()
    with refuses("bomb has more than 16,000,000 pixels"):
        decode_picture(content, "bomb")
    assert time.perf_counter() - started < 0.5


def test_bombs_beyond_pillow_s_own_limits_are_refused(refuses):
    for side in (12_000, 60_000):  # Pillow warns at 89 million pixels and raises at 179 million
        header = f"P5 {side} {side} 255\n".encode()
        with refuses("more than 16,000,000 pixels"):
            decode_picture(header, "bomb")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_mutated_pictures_decode_or_are_refused(kind):
    original = encode_picture(COLOR, kind)
    rng = np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(original)
        for _ in range(rng.integers(1, 6)):
            content[rng.integers(len(content))] = rng.integers(256)
        content = content[: rng.integers(1, len(content) + 1)] if rng.random() < 0.3 else content
        with contextlib.suppress(DataError):  # any other error is a bug
            assert decode_picture(bytes(content), "x").mode in ("L", "RGB")
