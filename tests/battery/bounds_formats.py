"""Zip files of anything, IDX, MATLAB and tables that claim members, bytes, cells and depth."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.battery.bounds_archives import member
from tests.battery.bounds_case import Case, load, put
from tests.support.sources import encode_picture, write_pictures


def list_formats() -> Iterator[Case]:
    """Every kind."""
    yield from list_zip()
    yield from list_packed_tar()
    yield from list_idx()
    yield from list_mat()
    yield from list_tables()


def write_zip(folder: Path, more: Callable[[zipfile.ZipFile], None] = lambda _: None) -> Path:
    """Two class folders in a zip file, and something more."""
    root = write_pictures(folder / "pets")
    with zipfile.ZipFile(folder / "pets.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*.png")):
            archive.write(path, path.relative_to(folder))
        more(archive)
    return folder / "pets.zip"


def repeat_entry(folder: Path, times: int) -> Path:
    """A zip file whose directory names one member many times."""
    path = write_zip(folder)
    content = path.read_bytes()
    start = content.index(b"PK\1\2")
    end = content.index(b"PK\5\6")
    last = content[content.rindex(b"PK\1\2") : end]
    directory = content[start:end] + last * times
    tail = bytearray(content[end:])
    struct.pack_into("<HHII", tail, 8, 65535, 65535, len(directory), start)
    path.write_bytes(content[:start] + directory + tail)
    return path


def list_zip() -> Iterator[Case]:
    yield Case("zip", "as it should be", write_zip, load, None)
    claims: dict[str, tuple[Callable[[zipfile.ZipFile], None], str]] = {
        "150 MB of zeros": (
            lambda archive: archive.writestr("pets/zeros.png", bytes(150_000_000)),
            "it unpacks to 150,",
        ),
        "a thousand members of 200 kB of zeros": (
            lambda archive: (
                [archive.writestr(f"pets/cat/z{i}.png", bytes(200_000)) for i in range(1000)]
                and None
            ),
            "it unpacks to 200,",
        ),
    }
    for name, (more, says) in claims.items():
        make = lambda at, more=more: write_zip(at, more)  # noqa: E731
        yield Case("zip", name, make, load, says, slow=True)
    many = lambda at: repeat_entry(at, 300_000)  # noqa: E731
    yield Case("zip", "300,000 entries for one member", many, load, "members; expected at most")
    some = lambda at: repeat_entry(at, 5_000)  # noqa: E731
    yield Case("zip", "5,000 entries for one member", some, load, None)
    lzma = lambda at: write_lzma(at)  # noqa: E731
    yield Case("zip", "a method that asks for gigabytes", lzma, load, "(method 14)")
    directory = put("a.zip", b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, 10**9, 0, 0))
    yield Case("zip", "a directory of a gigabyte", directory, load, "its directory has")


def write_lzma(folder: Path) -> Path:
    """A member that is packed with LZMA, whose header may ask for any memory."""
    path = write_zip(folder)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("pets/cat/x.png", encode_picture(np.zeros((9, 9), np.uint8)))
    return path


def list_packed_tar() -> Iterator[Case]:
    zeros = gzip.compress(member("x", bytes(150_000_000)), 1)
    yield Case("tar", "150 MB of zeros", put("a.tar.gz", zeros), load, "claims 150,000,000")
    deep = gzip.compress(member("a/" * 45 + "x.png", b"abc") + bytes(1024))
    yield Case("tar", "folders 45 deep", put("a.tar.gz", deep), load, "there are no images")
    many = lambda at: put("a.tar.gz", gzip.compress(member("x", b"") * 260_000, 1))(at)  # noqa: E731
    yield Case("tar", "260,000 members", many, load, "members, so it", slow=True)


def idx(shape: tuple[int, ...], content: bytes) -> bytes:
    """An IDX file of bytes."""
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content


def write_idx(folder: Path, images: bytes) -> Path:
    """A training part with the images as they are given."""
    (folder / "train-images-idx3-ubyte").write_bytes(images)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx((40,), bytes(i % 4 for i in range(40))))
    return folder


def list_idx() -> Iterator[Case]:
    pixels = np.random.default_rng(0).integers(0, 256, 40 * 784, dtype=np.uint8).tobytes()
    cases = {
        "as it should be": (idx((40, 28, 28), pixels), None),
        "packed": (gzip.compress(idx((40, 28, 28), pixels)), None),
        "a claim of terabytes": (idx((2**31, 28, 28), pixels), "claims 1,683,627,180,032"),
        "floating-point numbers": (b"\0\0\x0d" + idx((40, 28, 28), pixels)[3:], "type 0x0d"),
        "another beginning": (b"IDX3" + pixels, "does not begin like"),
        "no room for its shape": (idx((40, 28, 28), pixels)[:9], "is cut short"),
        "150 MB of zeros": (gzip.compress(idx((40, 28, 28), bytes(150_000_000)), 1), "unpacks to"),
        "200 dimensions": (bytes([0, 0, 8, 200]) + bytes(900), "does not begin like an IDX"),
    }
    for name, (content, says) in cases.items():
        yield Case("idx", name, lambda at, c=content: write_idx(at, c), load, says)


HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"


def list_mat() -> Iterator[Case]:
    bomb = zlib.compress(bytes(150_000_000), 1)
    cases = {
        "150 MB of zeros": (struct.pack("<II", 15, len(bomb)) + bomb, "unpacks to"),
        "an element of 4 GB": (struct.pack("<II", 14, 2**32 - 8), "cut short"),
        "a million empty elements": (struct.pack("<II", 1, 0) * 10**6, "more than 100 variables"),
    }
    for name, (content, says) in cases.items():
        yield Case("mat", name, put("train_32x32.mat", HEADER + content), load, says)


def write_table(folder: Path, name: str, content: bytes) -> Path:
    """A table beside pictures."""
    write_pictures(folder / "set", n=3)
    (folder / "set" / name).write_bytes(content)
    return folder / "set" / name


def list_tables() -> Iterator[Case]:
    rows = b"".join(b"cat/%d.png,a\ndog/%d.png,b\n" % (i, i) for i in range(3))
    wide = b",".join(b"c%d" % i for i in range(5_000)) + b"\n"
    cases: dict[str, tuple[str, bytes, str | None]] = {
        "as it should be": ("a.csv", b"id,label\n" + rows, None),
        "a million rows": ("a.csv", b"id,label\n" + b"1,2\n" * 1_000_000, "500,000 rows"),
        "three million cells": ("a.csv", (b"a," * 400 + b"b\n") * 9_000, "3,000,000 cells"),
        "5,000 columns": ("a.csv", wide, "5,000 columns"),
        "a cell of 10 MB": ("a.csv", b"id,label\nx," + b"a" * 10**7, "field larger than"),
        "a quote without an end": (
            "a.csv",
            b'id,label\n"' + b"a,\n" * 900_000,
            "field larger than",
        ),
        "JSON of a hundred thousand levels": ("a.jsonl", b"[" * 10**5, "cannot be read as a table"),
        "a line of JSON of 10 MB": ("a.jsonl", b"[" + b"[]," * 3_000_000 + b"[]]", "characters"),
        "many names in lines of JSON": (
            "a.jsonl",
            b"".join(b'{"n%d": 1}\n' % i for i in range(200_000)),
            "columns",
        ),
    }
    for name, (file, content, says) in cases.items():
        yield Case("table", name, lambda at, f=file, c=content: write_table(at, f, c), load, says)
