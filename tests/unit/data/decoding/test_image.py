"""Pictures: every kind comes out as plain grey or RGB, and no bytes can do harm."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding.image import decode_picture
from smallvision.data.decoding.resize import frame_pictures
from smallvision.errors import DataError

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOR = np.stack([RAMP, RAMP.T, 255 - RAMP], axis=2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("PPM", {}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_come_back_exactly(kind, options, encode):
    picture = decode_picture(encode(COLOR, kind, **options), "x")
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture), COLOR)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "GIF", "JPEG"])
def test_grey_stays_grey(kind, encode):
    picture = decode_picture(encode(RAMP, kind), "x")
    assert picture.mode == "L"
    assert np.abs(np.asarray(picture).astype(int) - RAMP).max() <= 8


def test_a_palette_of_colors_becomes_rgb(encode):
    picture = Image.fromarray(COLOR).quantize(16)
    assert decode_picture(encode(picture), "x").mode == "RGB"


def test_transparency_is_laid_on_white(encode):
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[:, 4:] = (200, 0, 0, 255)
    found = np.asarray(decode_picture(encode(pixels), "x"))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[0, 7].tolist() == [200, 0, 0]


def test_a_transparent_palette_is_laid_on_white(encode):
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([0, 0, 255, 255, 0, 0])
    picture.putpixel((0, 0), 1)
    found = np.asarray(decode_picture(encode(picture, transparency=0), "x"))
    assert (found[0, 0].tolist(), found[5, 5].tolist()) == ([255, 0, 0], [255, 255, 255])


def test_grey_with_transparency_stays_grey(encode):
    assert decode_picture(encode(Image.new("LA", (8, 8), (7, 255))), "x").getpixel((0, 0)) == 7


@pytest.mark.parametrize("kind", ["PNG", "PPM"])
def test_sixteen_bits_are_scaled_not_clipped(kind, encode):
    deep = np.array([[0, 257 * 100], [257 * 200, 65535]], dtype=np.uint16).repeat(8, 0).repeat(8, 1)
    found = np.asarray(decode_picture(encode(deep, kind), "x"))
    assert found[::8, ::8].tolist() == [[0, 100], [200, 255]]


def test_cmyk_becomes_rgb(encode):
    picture = decode_picture(encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"), "x")
    red, green, blue = picture.getpixel((4, 4))
    assert red > 200 > 60 > max(green, blue)


def test_the_camera_s_rotation_is_applied(encode):
    picture = Image.new("RGB", (20, 10))
    exif = picture.getexif()
    exif[0x0112] = 6
    assert decode_picture(encode(picture, "JPEG", exif=exif), "x").size == (10, 20)


def test_a_damaged_exif_block_does_not_matter(encode):
    content = encode(Image.new("RGB", (8, 8)), "JPEG", exif=b"Exif\x00\x00garbage")
    assert decode_picture(content, "x").size == (8, 8)


def test_an_animation_gives_its_first_frame(encode):
    frames = [Image.new("L", (8, 8), shade) for shade in (50, 250)]
    content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
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


def test_other_formats_are_refused(encode, refuses):
    with refuses("x.png"):
        decode_picture(encode(COLOR, "TIFF"), "x.png")


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "BMP"])
def test_bombs_are_refused_from_the_header(kind, encode, refuses):
    content = encode(Image.new("1" if kind == "BMP" else "L", (4001, 4000)), kind)
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
def test_mutated_pictures_decode_or_are_refused(kind, encode):
    original = encode(COLOR, kind)
    rng = np.random.default_rng(0)
    for _ in range(150):
        content = bytearray(original)
        for _ in range(rng.integers(1, 6)):
            content[rng.integers(len(content))] = rng.integers(256)
        content = content[: rng.integers(1, len(content) + 1)] if rng.random() < 0.3 else content
        with contextlib.suppress(DataError):  # any other error is a bug
            assert decode_picture(bytes(content), "x").mode in ("L", "RGB")


def pictures(*sizes, mode="RGB"):
    return [Image.new(mode, size, "red" if mode == "RGB" else 90) for size in sizes]


def test_equal_sizes_in_range_stay_as_they_are():
    images, notes = frame_pictures(pictures((20, 12), (20, 12)))
    assert (images.shape, notes) == ((2, 3, 12, 20), ())


@pytest.mark.parametrize(
    ("sizes", "resized"),
    [([(20, 20), (24, 20)], 2), ([(32, 32), (97, 40)], 1), ([(7, 7)], 1), ([(300, 200)] * 3, 3)],
)
def test_other_sizes_become_32(sizes, resized):
    images, notes = frame_pictures(pictures(*sizes))
    assert images.shape == (len(sizes), 3, 32, 32)
    assert notes == (f"{resized} of {len(sizes)} images were resized and cropped to 32x32 pixels.",)


def test_image_size_is_obeyed(refuses):
    assert frame_pictures(pictures((20, 20), (99, 50)), image_size=16)[0].shape == (2, 3, 16, 16)
    with refuses("image_size is 97; expected 8 to 96"):
        frame_pictures(pictures((20, 20)), image_size=97)


def test_one_colored_picture_colors_all():
    images, notes = frame_pictures(pictures((8, 8), mode="L") + pictures((8, 8)))
    assert images[0, :, 0, 0].tolist() == [90, 90, 90]
    assert notes == ("1 of 2 grey images were stored as color, like the rest.",)


def test_later_parts_take_the_shape_of_the_training_images():
    images, notes = frame_pictures(pictures((40, 20), (8, 8)), shape=(1, 8, 8))
    assert images.shape == (2, 1, 8, 8)
    assert notes == (
        "1 of 2 images were resized and cropped to 8x8 pixels.",
        "2 of 2 color images were made grey, like the rest.",
    )


def test_resizing_is_antialiased_and_centered():
    stripes = np.zeros((64, 128), dtype=np.uint8)
    stripes[:, ::2] = 255
    stripes[:, :16] = stripes[:, -16:] = 0
    images, _ = frame_pictures([Image.fromarray(stripes)], image_size=16)
    assert np.abs(images.astype(int) - 127).max() <= 3  # sampling would give black or white


def test_no_pictures_at_all(refuses):
    with refuses("there are no images"):
        frame_pictures([])
