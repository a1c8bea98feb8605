"""TIFF files: plain ones of 8 and 16 bits come out exactly, and no directory leads astray."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest
from PIL import Image

from smallvision.data.decoding.image import decode, read_size
from smallvision.errors import DataError
from tests.support.sources import encode_picture

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = RNG.integers(0, 4096, (20, 30), dtype=np.uint16)
METHODS = [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"]


def tiff(
    values: np.ndarray, tags: dict[int, tuple[int, list[int]]] | None = None, order: str = "<"
) -> bytes:
    """A plain TIFF by hand: one strip, with other values of some tags, type 3 or 4."""
    height, width = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    bits = values.dtype.itemsize * 8
    pixels = values.astype(values.dtype.newbyteorder(order)).tobytes()
    fields = {
        256: (3, [width]),
        257: (3, [height]),
        258: (3, [bits] * channels),
        259: (3, [1]),
        262: (3, [2 if channels == 3 else 1]),
        273: (4, [8]),
        277: (3, [channels]),
        278: (3, [height]),
        279: (4, [len(pixels)]),
    } | (tags or {})
    at = 8 + len(pixels)
    entries, longer = b"", b""
    for tag, (kind, some) in sorted(fields.items()):
        content = struct.pack(f"{order}{len(some)}{'HI'[kind - 3]}", *some)
        entries += struct.pack(f"{order}HHI", tag, kind, len(some))
        if len(content) > 4:
            entries += struct.pack(f"{order}I", at + 6 + 12 * len(fields) + len(longer))
            longer += content
        else:
            entries += content.ljust(4, b"\0")
    begins = {"<": b"II*\0", ">": b"MM\0*"}[order]
    directory = struct.pack(f"{order}H", len(fields)) + entries + bytes(4)
    return begins + struct.pack(f"{order}I", at) + pixels + directory + longer


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pixels", [COLOUR, COLOUR[..., 0], DEEP], ids=["colour", "grey", "deep"])
def test_plain_files_come_back_exactly(pixels, method):
    found = decode(encode_picture(pixels, "TIFF", compression=method), "x.tif")
    wanted = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    assert np.array_equal(found.values(found.channels), wanted)
    assert found.peak == (DEEP.max() if pixels is DEEP else None)


@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_files_of_either_byte_order_come_back_exactly(order):
    for values in (DEEP, np.stack([DEEP, DEEP // 2, DEEP // 3], axis=2)):
        found = decode(tiff(values, order=order), "x.tif")
        wanted = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        assert np.array_equal(found.values(found.channels), wanted)


@pytest.mark.parametrize("order", ["<", ">"])
def test_deep_colours_that_libtiff_unpacks_come_back_exactly(order):
    import zlib

    values = np.stack([DEEP, DEEP // 2, DEEP // 3], axis=2)
    packed = zlib.compress(values.astype(values.dtype.newbyteorder(order)).tobytes())
    content = tiff(values, {259: (3, [8]), 279: (4, [len(packed)])}, order)
    content = content[:8] + packed.ljust(values.nbytes, b"\0") + content[8 + values.nbytes :]
    assert np.array_equal(decode(content, "x.tif").values(3), values.transpose(2, 0, 1))


def test_the_first_page_is_taken_upright():
    pages = [Image.new("L", (20, 10), shade) for shade in (50, 250)]
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode_picture(pages[0], "TIFF", save_all=True, append_images=pages[1:], exif=exif)
    found = decode(content, "x.tif")
    assert (found.size, found.bands[0].size) == ((10, 20), (10, 20))
    assert found.bands[0].getpixel((0, 0)) == 50
    assert read_size(content, "x.tif") == (10, 20)


def test_metadata_is_not_reached():
    """A thousand entries that all hold the same megabyte would be read one by one."""
    plain = tiff(COLOUR)
    (at,) = struct.unpack_from("<I", plain, 4)
    (count,) = struct.unpack_from("<H", plain, at)
    more = b"".join(struct.pack("<HHII", 40_000 + i, 7, len(plain), 0) for i in range(1000))
    directory = plain[at + 2 : at + 2 + 12 * count]
    content = plain[:4] + struct.pack("<I", len(plain)) + plain[8:]
    content += struct.pack("<H", count + 1000) + directory + more + bytes(4)
    found = decode(content, "x.tif")
    assert np.array_equal(found.values(3), COLOUR.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tiff(COLOUR, {259: (3, [7])}), "packed by method 7"),
        (tiff(COLOUR, {273: (4, [8] * 20_001)}), "20,001 values of tag 273"),
        (tiff(COLOUR, {279: (4, [2**31])}), "claims more bytes than it has"),
        (tiff(COLOUR, {256: (4, [2**31 - 1])}), "16,000,000 pixels"),
        (tiff(COLOUR, {256: (4, [4001]), 257: (4, [4000])}), "16,000,000 pixels"),
        (tiff(DEEP.astype(np.float32).view(np.uint32), {339: (3, [3])}), "floating-point"),
        (tiff(DEEP.astype(np.uint32) + 70_000), "beyond 16 bits"),
        (b"II+\0" + tiff(COLOUR)[4:], "big TIFF"),
        (b"II*\0\xff\xff\xff\xff", "cut short"),
        (tiff(COLOUR)[:900], "cut short"),
    ],
)
def test_what_is_refused(content, says, refuses):
    with refuses("cat/1.tif", says):
        decode(content, "cat/1.tif")


def test_a_directory_of_more_tags_than_any_picture_has(refuses):
    with refuses("60,000 tags"):
        decode(b"II*\0\x08\0\0\0" + struct.pack("<H", 60_000) + bytes(720_000), "x.tif")


def test_mutated_files_decode_or_are_refused():
    seeds = [tiff(COLOUR), tiff(DEEP), encode_picture(COLOUR, "TIFF", compression="tiff_lzw")]
    rng = np.random.default_rng(0)
    for number in range(300):
        content = bytearray(seeds[number % 3])
        directory = struct.unpack_from("<I", content, 4)[0]
        for _ in range(rng.integers(1, 4)):
            content[int(rng.integers(directory, len(content)))] = rng.integers(256)
        with contextlib.suppress(DataError):  # any other error is a bug
            assert decode(bytes(content), "x.tif").bands[0].mode in ("L", "RGB", "I;16")
