"""A decoder sees pixels alone: the same ones, and not what else a file holds."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding import image, image_parts
from smallvision.data.decoding.image import decode_picture
from smallvision.data.decoding.image_parts import find_orientation, take_apart
from tests.battery.bounds_pictures import gif, insert, jpeg, png, repeat_scan, rle, save, webp
from tests.battery.pictures import chunk
from tests.support.sources import encode_picture

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def joined(content: bytes) -> bytes:
    return b"".join(take_apart(content).kept)


@pytest.mark.parametrize(
    ("plain", "laden"),
    [
        (jpeg(), insert(jpeg(), 2, b"\xff\xe2\0\x08secret\xff\xfe\0\x08secret")),
        (jpeg(), jpeg() + b"secret"),
        (png(), png(chunk(b"tEXt", b"a\0secret"), chunk(b"iCCP", b"secret"))),
        (gif(), gif(b"\x21\xfe\x06secret\0")),
    ],
    ids=["jpeg", "behind a jpeg", "png", "gif"],
)
def test_what_makes_no_pixel_is_left_out(plain, laden):
    assert b"secret" in laden
    assert joined(laden) == joined(plain)
    assert np.array_equal(decode_picture(laden, "x"), decode_picture(plain, "x"))


def test_a_webp_file_says_that_nothing_was_left_out():
    laden = webp(b"EXIF\x06\0\0\0secretJUNK\x06\0\0\0secret")
    assert b"secret" not in joined(laden)
    assert struct.unpack("<I", joined(laden)[4:8])[0] == len(joined(laden)) - 8
    assert decode_picture(laden, "x").size == (32, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "PPM"])
def test_pixels_are_those_of_the_whole_file(kind):
    content = encode_picture(NOISE, kind)
    truth = np.asarray(Image.open(image.BytesIO(content)).convert("RGB"))
    assert np.array_equal(np.asarray(decode_picture(content, "x")), truth)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_colours_of_a_jpeg_are_kept(mode):
    content = encode_picture(Image.fromarray(NOISE).convert(mode), "JPEG", progressive=True)
    truth = np.asarray(Image.open(image.BytesIO(content)).convert("RGB"))
    assert np.array_equal(np.asarray(decode_picture(content, "x").convert("RGB")), truth)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_every_orientation_is_found(kind, turn):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112], exif[0x0131] = "maker", turn, "program"
    assert take_apart(encode_picture(NOISE, kind, exif=exif)).orientation == turn


def test_the_orientation_in_xmp_counts_where_exif_has_none():
    xmp = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation="6"/>'
    segment = b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp
    assert take_apart(insert(jpeg(), 2, segment)).orientation == 6
    text = b"XML:com.adobe.xmp\0\0\0\0\0<tiff:Orientation>8</tiff:Orientation>"
    assert take_apart(png(chunk(b"iTXt", text))).orientation == 8


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 0x0112, 3, 1, 9, 0),
        b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 4, 1, 6),
    ],
)
def test_damaged_exif_leaves_a_picture_upright(exif):
    assert find_orientation(exif) == 1


def test_both_orders_of_bytes():
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    assert find_orientation(b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry) == 6


def test_scans_are_counted(refuses, monkeypatch):
    monkeypatch.setattr(image_parts, "MAX_SCANS", 12)
    assert take_apart(repeat_scan(32, 12)).scans == 12
    with refuses("it has more than 12 scans"):
        decode_picture(repeat_scan(32, 13), "x")


@pytest.mark.parametrize(
    "content",
    [
        insert(jpeg(), 2, b"\xff\xfe\0\2" * 60),
        png(chunk(b"tEXt", b"") * 60),
        gif(b"\x21\xfe\x01a\0" * 30),
        webp(b"JUNK\0\0\0\0" * 60),
    ],
    ids=["jpeg", "png", "gif", "webp"],
)
def test_parts_are_counted(content, refuses, monkeypatch):
    assert decode_picture(content, "x").size in ((32, 32), (8, 8))
    monkeypatch.setattr(image_parts, "MAX_PARTS", 50)
    with refuses("it has more than 50 parts"):
        decode_picture(content, "x")


@pytest.mark.parametrize(
    "begins", [b"\xff\xd8\xff\xe1", b"GIF89a", b"\x89PNG\r\n\x1a\n\0", b"RIFF"]
)
def test_what_is_cut_short_is_named(begins, refuses):
    with refuses("x", "cut short" if begins != b"RIFF" else "is no PNG"):
        decode_picture(begins, "x")


def test_comments_of_a_text_picture(refuses, monkeypatch):
    content = b"P2 #\n# a\n 2 #\n 2 255\n1 # 9 9\n2 3 # 9\n 4"
    assert np.asarray(decode_picture(content, "x")).tolist() == [[1, 2], [3, 4]]
    monkeypatch.setattr(image_parts, "MAX_COMMENTS", 4)
    with refuses("more than 4 comments"):
        decode_picture(content, "x")


def test_a_comment_may_hold_numbers():
    content = b"P5 # 9 9 9\n8 8 # 9\n255\n" + bytes(64)
    assert decode_picture(content, "x").size == (8, 8)


@pytest.mark.parametrize(
    "content",
    [
        b"P3 8 8 255\n" + b"1 2 3 " * 64,
        b"P6 8 8 200\n" + bytes(192),
        rle(b"\x08\7\0\0" * 8, 8, 8),
    ],
    ids=["text", "odd depth", "run lengths"],
)
def test_slow_forms_are_small(content, refuses, monkeypatch):
    assert decode_picture(content, "x").size == (8, 8)
    monkeypatch.setattr(image, "SLOW_PIXELS", 63)
    with refuses("x keeps 64 pixels in", "in a slow form"):
        decode_picture(content, "x")
    monkeypatch.setattr(image, "SLOW_PIXELS", 64)
    monkeypatch.setattr(image, "SLOW_BYTES", len(content) - 1)
    with refuses("in a slow form"):
        decode_picture(content, "x")


def test_bytes_follow_from_the_format(refuses, monkeypatch):
    monkeypatch.setattr(image, "MAX_BYTES", {"JPEG": 100, "WEBP": 100})
    monkeypatch.setattr(image, "MAX_CANVAS_PIXELS", {"WEBP": 1024})
    for kind in ("JPEG", "WEBP"):
        with refuses("bytes of pixels; expected at most 100"):
            decode_picture(encode_picture(NOISE, kind), "x")
    with refuses("expected at most 1,024 of a WebP picture"):
        decode_picture(save(Image.new("L", (33, 32)), "WEBP"), "x")
    monkeypatch.setattr(image, "MAX_FILE_BYTES", 100)
    with refuses("x has", "expected at most 100"):
        decode_picture(encode_picture(NOISE, "PNG"), "x")


def test_bands_blend_as_a_whole_does(monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 256, (40, 30, 4), dtype=np.uint8)
    content = encode_picture(pixels)
    whole = np.asarray(decode_picture(content, "x"))
    monkeypatch.setattr(image, "BAND", 7 * 30)
    assert np.array_equal(np.asarray(decode_picture(content, "x")), whole)
