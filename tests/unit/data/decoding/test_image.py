"""Pictures: every kind comes out as plain grey or RGB, and no bytes can do harm."""

from __future__ import annotations

import contextlib
import struct
import time

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding import image
from smallvision.data.decoding.image import (
    FORMATS,
    SUFFIXES,
    decode,
    decode_picture,
    find_suffix,
    read_size,
)
from smallvision.errors import DataError
from tests.battery.pictures import make_png
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


@pytest.mark.parametrize("kind", FORMATS)
def test_the_suffix_of_a_format_is_one_that_folders_of_pictures_have(kind):
    found = find_suffix(encode_picture(COLOR, kind), "x")
    assert found in SUFFIXES
    assert found[1:3] == {"JPEG": "jp"}.get(kind, kind[:2].lower())


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
        decode_picture(encode_picture(COLOR, "ICO"), "x.png")


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
def test_avif_is_read_and_turned():
    picture = Image.fromarray(COLOR).resize((64, 32))
    plain = decode_picture(encode_picture(picture, "AVIF", quality=90), "x")
    assert (plain.mode, plain.size) == ("RGB", (64, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a description"
    turned = decode(encode_picture(picture, "AVIF", quality=90, exif=exif), "x")
    assert (turned.size, turned.bands[0].size) == ((32, 64), (32, 64))


def claim_avif_size(content, width, height):
    """An AVIF file whose container tells other sizes of its pictures than they have."""
    at, changed = content.index(b"ispe"), bytearray(content)
    while at >= 0:
        changed[at + 8 : at + 16] = struct.pack(">II", width, height)
        at = content.find(b"ispe", at + 1)
    return bytes(changed)


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
def test_avif_that_claims_fewer_pixels_than_it_holds_is_not_decoded(refuses, monkeypatch):
    def decode_all(self):
        raise AssertionError("it was decoded")

    monkeypatch.setattr(image, "MAX_CANVAS_PIXELS", {"AVIF": 200 * 200})
    large = encode_picture(Image.new("RGB", (300, 200)), "AVIF", speed=10)
    monkeypatch.setattr("PIL.AvifImagePlugin.AvifImageFile.load", decode_all)
    with refuses("x claims 4,096 pixels and holds 60,000; expected at most 40,000"):
        decode(claim_avif_size(large, 64, 64), "x", side=32)


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
def test_avif_that_holds_many_pictures_is_not_decoded(refuses, monkeypatch):
    """Colours and transparency are two layers; more than three are none that a picture needs."""
    monkeypatch.setattr(image, "MAX_CANVAS_PIXELS", {"AVIF": 64 * 64})
    layers = encode_picture(Image.new("RGBA", (64, 64), (9, 9, 9, 99)), "AVIF", speed=10)
    assert decode(layers, "x").size == (64, 64)
    monkeypatch.setattr(image, "MOST_LAYERS", 1)
    with refuses("x claims 4,096 pixels and holds 8,192"):
        decode(layers, "x")


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
def test_only_the_first_frame_of_an_avif_is_decoded():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    content = encode_picture(frames[0], "AVIF", save_all=True, append_images=frames[1:])
    assert content[8:12] == b"avis"
    assert decode_picture(content, "x").getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=3)


@pytest.mark.skipif("AVIF" not in FORMATS, reason="this Pillow has no AVIF")
def test_damaged_avif_is_one_line():
    content = encode_picture(Image.fromarray(COLOR), "AVIF", speed=10)
    for at in range(0, min(600, len(content)), 3):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        for broken in (bytes(damaged), content[:at]):
            with contextlib.suppress(DataError):
                decode(broken, "x", side=32)


def test_a_telephone_s_heic_is_told_by_its_name(refuses):
    """Pillow cannot read it; "no picture" would be untrue."""
    with refuses("IMG_1.jpg is a HEIC picture", "save it as JPEG"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "IMG_1.jpg")


def deep_png(values, color):
    """A PNG of 16 bits for each value, uint16 `(H, W, channels)`."""
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return make_png(width, height, 16, color, rows)


def test_deep_colours_keep_all_bits():
    """Pillow alone gives the upper byte, of which 12-bit data fill 4 bits (Pillow 7723)."""
    values = np.random.default_rng(0).integers(0, 4096, (9, 8, 3), dtype=np.uint16)
    found = decode(deep_png(values, 2), "x")
    assert np.array_equal(found.values(3), values.transpose(2, 0, 1))
    assert found.peak == values.max()
    opaque = np.concatenate([values, np.full((9, 8, 1), 65535, np.uint16)], axis=2)
    assert np.array_equal(decode(deep_png(opaque, 6), "x").values(3), values.transpose(2, 0, 1))


def test_deep_transparent_colours_are_laid_on_white():
    values = np.full((8, 8, 4), 40_000, dtype=np.uint16)
    values[:4, :, 3] = 0
    picture = decode(deep_png(values, 6), "x").bands[0]
    assert picture.getpixel((0, 0)) == (255, 255, 255)


def test_deep_grey_keeps_all_bits():
    values = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    found = decode(encode_picture(values, "PNG"), "x")
    assert (found.channels, found.peak) == (1, 63 * 60)
    assert np.array_equal(found.values(1)[0], values)


def test_deep_colours_are_bounded_for_they_are_decoded_twice(refuses, monkeypatch):
    monkeypatch.setattr(image, "MAX_DEEP_PIXELS", 63)
    with refuses("64 pixels of 16 bits in colour; expected at most 63"):
        decode(deep_png(np.zeros((8, 8, 3), np.uint16), 2), "x")


def test_photographs_are_decoded_smaller_if_no_more_is_needed():
    picture = Image.linear_gradient("L").resize((1600, 1200))
    whole = decode(encode_picture(picture, "JPEG"), "x")
    small = decode(encode_picture(picture, "JPEG"), "x", side=32)
    assert whole.bands[0].size == whole.size == small.size == (1600, 1200)
    assert small.bands[0].size == (200, 150)  # an eighth, which has more than 64 pixels a side
    fitted = [np.asarray(one.fit((32, 32), "crop").bands[0]).astype(int) for one in (whole, small)]
    assert np.abs(fitted[0] - fitted[1]).max() <= 8


def claim_size(content, width, height, marker=b"\xff\xc0"):
    at = content.index(marker) + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def test_a_baseline_photograph_may_have_120_million_pixels(refuses):
    small = encode_picture(Image.new("L", (16, 16), 99), "JPEG")
    photo = decode(claim_size(small, 12_000, 9000), "x", side=32)
    assert (photo.size, photo.bands[0].size) == ((12_000, 9000), (1500, 1125))
    with refuses("more than 120,000,000 pixels"):
        decode(claim_size(small, 12_000, 10_001), "x", side=32)
    with refuses("more than 16,000,000 pixels"):  # whole, it would not fit in memory
        decode(claim_size(small, 12_000, 9000), "x")
    with refuses("more than 16,000,000 pixels"):  # a strip cannot be reduced that far
        decode(claim_size(small, 65_000, 500), "x", side=200)


@pytest.mark.parametrize("scans", ["progressive", "one for each colour"])
def test_a_photograph_that_is_held_whole_may_not(scans, refuses):
    """All its coefficients lie in memory: 200 MB of 33 million pixels."""
    picture = Image.new("RGB", (16, 16))
    if scans == "progressive":
        content = claim_size(
            encode_picture(picture, "JPEG", progressive=True), 8000, 4000, b"\xff\xc2"
        )
    else:
        content = claim_size(encode_picture(picture, "JPEG"), 8000, 4000)
        scan = content[content.index(b"\xff\xda") : -2]
        content = content[:-2] + scan + content[-2:]
    with refuses("more than 16,000,000 pixels"):
        decode(content, "x", side=32)


def test_the_size_is_read_upright_without_decoding():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode_picture(Image.new("RGB", (20, 10)), "JPEG", exif=exif)
    cut = content[: content.index(b"\xff\xda") + 20]
    assert read_size(cut, "x") == (10, 20)


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
