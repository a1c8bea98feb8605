"""Files that are cut short, of another kind or at odds with themselves, each refused for that."""

from __future__ import annotations

import gzip
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from smallvision.data.decoding.image import FORMATS, decode
from smallvision.data.decoding.image_files import find_pictures, load_picture
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.loading.load import load_data
from tests.battery.bounds_archives import header, member, pack, replace, spoil, whole_tar
from tests.battery.bounds_case import Case, hole, load, look, put
from tests.battery.bounds_formats import HEADER, idx, write_idx, write_table, write_zip
from tests.support.sources import (
    encode_picture,
    find_archive,
    make_labels,
    make_pixels,
    write_cifar,
    write_parquet,
    write_pictures,
)


def list_damaged() -> Iterator[Case]:
    """Every kind."""
    yield from list_pictures()
    yield from list_arrays()
    yield from list_batches()
    yield from list_shards()
    yield from list_tables()
    yield from list_archives()


# ----------------------------------------------------------------------------------- pictures


def list_pictures() -> Iterator[Case]:
    strip = lambda: encode_picture(Image.new("L", (60_000, 300)), "JPEG")  # noqa: E731
    cases: dict[str, tuple[Callable[[], bytes], str]] = {
        "empty.png": (lambda: b"", "is empty (0 bytes)"),
        "floats.tiff": (
            lambda: encode_picture(Image.fromarray(np.ones((9, 9), np.float32)), "TIFF"),
            "floating-point pixels",
        ),
        "wide.tiff": (
            lambda: encode_picture(Image.fromarray(np.full((9, 9), 70_000, np.int32)), "TIFF"),
            "beyond 16 bits",
        ),
        "negative.tiff": (
            lambda: encode_picture(Image.fromarray(np.full((9, 9), -1, np.int32)), "TIFF"),
            "values below 0",
        ),
        "big.tiff": (lambda: b"II+\0\x08\0\0\0" + bytes(99), "a big TIFF"),
        "nothing.avif": (lambda: BRANDS + bytes(400), "cut short"),
        "pixels.avif": (lambda: BRANDS + box(b"mdat", bytes(99)), "cut short"),
        "words.avif": (lambda: BRANDS + box(b"free", b"meta" * 9), "has no description"),
        "nowhere.avif": (lambda: avif(b""), "does not tell where its pictures lie"),
        "elsewhere.avif": (lambda: avif(locate(b"\0\2")), "lie in other pictures"),
        "places.avif": (lambda: avif(locate(b"")[:-3]), "cut short"),
        "header.avif": (lambda: avif(locate(b""), b"\x0a\1\0"), "cut short"),
        "lengths.avif": (lambda: avif(locate(b""), b"\x0a" + b"\xff" * 9), "more than eight bytes"),
        "beyond.avif": (lambda: BRANDS + struct.pack(">I", 999) + b"meta" + bytes(9), "cut short"),
        "units.avif": (lambda: avif(locate(b""), b"\2\0" * 10_001), "more than 10,000 units"),
        "tags.tiff": (
            lambda: b"II*\0\x08\0\0\0" + struct.pack("<H", 5000) + bytes(60_000),
            "5,000 tags",
        ),
        "parts.avif": (lambda: avif(box(b"free", b"infe" * 1001)), "more than 1,000 parts"),
        "words.png": (lambda: b"these are words", "picture; replace or remove it"),
    }
    for name, (make, says) in cases.items():
        yield Case("files", name, partial(write, name, make), look, says)
    yield Case("files", "strip.jpg", partial(write, "strip.jpg", strip), look_large, "16,000,000")
    long = lambda at: at / f"{'a' * 300}.png"  # noqa: E731
    yield Case("files", "a name of 304 characters", long, look, "cannot be read")
    yield Case("files", "in a row", hole("it.png", 65_000_001), look_inside, "at most 65,000,000")
    # A file that is there, is regular, and cannot be read.
    memory = lambda at: Path("/proc/self/mem")  # noqa: E731
    yield Case("files", "the memory of a process", memory, look, "cannot be read (")
    if "AVIF" in FORMATS:  # which not every Pillow writes
        small = small_claim
        yield Case("avif", "20 million pixels said to be 256", small, look, "pixels and holds")
    entries = lambda path: list(walk_entries(path))  # noqa: E731
    yield Case("folder", "a file for a folder", put("a", b""), entries, "cannot be read (")
    empty = lambda at: at  # noqa: E731
    yield Case("folder", "no picture", empty, find_pictures, "holds no images")


def look_large(path: Path) -> object:
    """A picture for images of 224 pixels, which one of fewer than 896 is decoded whole for."""
    return load_picture(path, 224)


def look_inside(path: Path) -> object:
    """A picture that lies in another file, which was read without its bound."""
    return decode(path.read_bytes(), path.name)


def box(kind: bytes, content: bytes) -> bytes:
    """A box of an AVIF file."""
    return struct.pack(">I", 8 + len(content)) + kind + content


BRANDS = box(b"ftyp", b"avif" + bytes(4) + b"avifmif1")


def locate(method: bytes) -> bytes:
    """Where the one picture of a file lies: at 400, if by no method of construction."""
    fields = bytes([len(method) // 2, 0, 0, 0, 0x44, 0, 0, 1, 0, 1]) + method + bytes(2)
    return box(b"iloc", fields + struct.pack(">HII", 1, 400, 0))


def avif(places: bytes, stream: bytes = b"") -> bytes:
    """A file with an AV1 stream at 400 and a description that need not tell so."""
    item = box(b"infe", bytes([2, 0, 0, 0, 0, 1, 0, 0]) + b"av01" + bytes(1))
    meta = box(b"meta", bytes(4) + box(b"iinf", bytes([0, 0, 0, 0, 0, 1]) + item) + places)
    start = BRANDS + meta
    return start + box(b"mdat", bytes(max(0, 392 - len(start))) + stream)


def small_claim(folder: Path) -> Path:
    """A file whose container tells fewer pixels than the stream of its picture."""
    content = encode_picture(Image.new("L", (5000, 4000)), "AVIF", speed=10)
    at = content.index(b"ispe") + 8
    return put("it.avif", content[:at] + struct.pack(">II", 16, 16) + content[at + 8 :])(folder)


def write(name: str, make: Callable[[], bytes], folder: Path) -> Path:
    """A file whose content is made when it is needed."""
    return put(name, make())(folder)


# ------------------------------------------------------------------------- IDX, MATLAB and npz


def list_arrays() -> Iterator[Case]:
    pixels = bytes(range(256)) * 123
    packed = gzip.compress(idx((40, 28, 28), pixels[: 40 * 784]))
    damaged = packed[:60] + b"\xff" * 20 + packed[80:]
    for name, content, says in (
        ("cut short", packed[:-60], "cut short"),
        ("damaged", damaged, "is damaged"),
    ):
        yield Case("idx", name, lambda at, c=content: write_idx(at, c), load, says)
    mat: dict[str, tuple[bytes, str]] = {
        "of version 7.3": (b"MATLAB 7.3 MAT-file".ljust(512), "version 7.3 (HDF5)"),
        "of version 4": (bytes(512), "no .mat file of version 5"),
        "too short for a header": (HEADER[:100], "no .mat file of version 5"),
        "no variable": (HEADER, "lacks a plain array"),
        "a matrix of 200 dimensions": (HEADER + matrix("X", (1,) * 200), "too many dimensions"),
        "more numbers than it holds": (HEADER + matrix("X", (9, 9)), "claims the shape (9, 9)"),
        "a negative side": (HEADER + matrix("X", (-1, -1)), "claims the shape (-1, -1)"),
        "damaged packing": (HEADER + struct.pack("<II", 15, 9) + bytes(9), "is damaged"),
        "an unknown kind of number": (HEADER + matrix("X", (1, 1), kind=99), "is damaged"),
    }
    for name, (content, says) in mat.items():
        yield Case("mat", name, put("train_32x32.mat", content), load, says)
    arrays: dict[str, tuple[dict[str, bytes], str]] = {
        "names in a table": (
            {"class_names.npy": npy(np.array([["a", "b"]]))},
            "class_names is no list",
        ),
        "a name of 10 kB": ({"y.npy": npy(np.array(["x" * 2500] * 20))}, "bytes each"),
        "a row of 2,000 numbers a label": ({"y.npy": npy(np.zeros((20, 2000)))}, "one number or"),
        "fewer labels": ({"y.npy": npy(np.zeros(9, np.int64))}, "20 x but 9 y"),
    }
    for name, (changed, says) in arrays.items():
        make = lambda at, c=changed: put("data.npz", pack(c))(at)  # noqa: E731
        yield Case("npz", name, make, load, says)
    yield Case("npz", "packed with LZMA", write_lzma, load, "a way that numpy does not write")
    yield Case("npz", "an .npy file that is cut short", cut_npy, load, "x claims 61,440 bytes")
    objects = lambda at: write_npy(at, header((20,), "|O") + bytes(160))  # noqa: E731
    yield Case("npz", "an .npy file of objects", objects, load, "x holds Python objects")
    yield Case("npz", "of nothing", lambda at: put("data.npz", zip_of({}))(at), load, "it holds")


def matrix(name: str, shape: tuple[int, ...], kind: int = 2) -> bytes:
    """A MATLAB matrix of one number that claims a shape."""
    parts = (
        (6, struct.pack("<II", 9, 0)),
        (5, struct.pack(f"<{len(shape)}i", *shape)),
        (1, name.encode()),
        (kind, b"\1"),
    )
    body = b"".join(
        struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)
        for kind, content in parts
    )
    return struct.pack("<II", 14, len(body)) + body


def npy(array: np.ndarray) -> bytes:
    """An array as the content of an `.npy` file."""
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def write_lzma(folder: Path) -> Path:
    """Arrays that are packed as only other programs do."""
    arrays = {"x.npy": npy(make_pixels(20)), "y.npy": npy(make_labels(20, 4))}
    return put("data.npz", zip_of(arrays, zipfile.ZIP_LZMA))(folder)


def cut_npy(folder: Path) -> Path:
    """Arrays in files of their own, of which one lacks its last bytes."""
    return write_npy(folder, npy(make_pixels(20))[:-8])


def write_npy(folder: Path, images: bytes) -> Path:
    """Arrays in files of their own."""
    (folder / "x.npy").write_bytes(images)
    (folder / "y.npy").write_bytes(npy(make_labels(20, 4)))
    return folder


# ----------------------------------------------------------------------------- batches of CIFAR


def list_batches() -> Iterator[Case]:
    rows, labels = make_pixels(20).reshape(20, -1), make_labels(20, 10).tolist()
    batches: dict[str, tuple[Any, str]] = {
        "a list": ([1, 2], "holds a list"),
        "no pixels": ({"labels": labels}, "lacks 'data'"),
        "no labels": ({"data": rows}, "lacks 'labels'"),
        "fewer labels": ({"data": rows, "labels": labels[:9]}, "9"),
        "labels in fractions": ({"data": rows, "labels": [0.5] * 20}, "not a list of whole"),
        "labels in a table": ({"data": rows, "labels": [[1]] * 20}, "not a list of whole"),
        "a label without a name": ({"data": rows, "labels": [10] * 20}, "10"),
        "pixels of another size": ({"data": rows[:, :9], "labels": labels}, "not a uint8 array"),
        "pixels in 16 bits": (
            {"data": rows.astype(np.uint16), "labels": labels},
            "not a uint8 array",
        ),
    }
    for name, (record, says) in batches.items():
        content = pickle.dumps(record, protocol=2)
        yield Case("cifar", f"a batch: {name}", lambda at, c=content: spoil(at, c), load, says)
    for name, content, says in (
        ("no bytes", b"", "is empty (0 bytes)"),
        ("no pickle", b"words", "is damaged"),
    ):
        yield Case("cifar", f"a batch: {name}", lambda at, c=content: spoil(at, c), load, says)
    for name, record in (
        ("no names", {"label_names": []}),
        ("names as text", {"label_names": "a"}),
    ):
        change = lambda path, r=record: path.write_bytes(pickle.dumps(r, protocol=2))  # noqa: E731
        make = lambda at, c=change: replace(at, "batches.meta", c)  # noqa: E731
        yield Case("cifar", name, make, load, "holds no list 'label_names'")
    yield Case("cifar", "a batch in bytes, cut short", cut_binary, load, "which is no multiple of")


def cut_binary(folder: Path) -> Path:
    """Batches as rows of bytes, the first of which lacks its last byte."""
    root = write_cifar(folder, find_archive("cifar10", "binary"))
    path = root / "data_batch_1.bin"
    path.write_bytes(path.read_bytes()[:-1])
    return root


# -------------------------------------------------------------------------------------- Parquet


def list_shards() -> Iterator[Case]:
    shards: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
        "no column of pictures": (
            {"image": "x", "label": "y"},
            {"image_column": "z"},
            "train.parquet: ",
        ),
        "a group that it lacks": ({}, {"group_by": "patient"}, "has no column 'patient'"),
        "pictures for labels": ({}, {"label_column": "img"}, "neither numbers nor text"),
        "a row without a label": ({"labels": [None, *range(9)]}, {}, "1 rows have no label"),
        "labels in fractions": ({"labels": [0.5] * 10}, {}, "holds no whole numbers"),
        "no rows": ({"n": 0, "labels": []}, {}, "holds no images"),
    }
    for name, (made, options, says) in shards.items():
        # In a folder, so that nothing but the reader can name the file.
        make = lambda at, m=made: write_parquet(at / "set" / "train.parquet", **m).parent  # noqa: E731
        yield Case("parquet", name, make, partial(load_data, **options), says)
    yield Case("parquet", "texts as many as rows", write_texts, load, "different texts")
    yield Case("parquet", "a picture elsewhere", write_paths, load, "is not inside the file")
    yield Case("parquet", "a column twice", write_twice, load, "two columns 'label'")


def write_table_of(folder: Path, **columns: Any) -> Path:
    """A Parquet file of any columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), folder / "train.parquet")
    return folder / "train.parquet"


def list_contents(n: int) -> list[dict[str, Any]]:
    return [
        {"bytes": encode_picture(one.transpose(1, 2, 0)), "path": None} for one in make_pixels(n)
    ]


def write_texts(folder: Path) -> Path:
    """Labels that are names of files rather than of classes."""
    contents = list_contents(4) * 20_000
    return write_table_of(folder, img=contents, label=[f"{i}.png" for i in range(len(contents))])


def write_paths(folder: Path) -> Path:
    """Pictures of which the file has only the paths."""
    contents = [{"bytes": None, "path": f"/etc/{i}.png"} for i in range(10)]
    return write_table_of(folder, img=contents, label=make_labels(10, 2).tolist())


def write_twice(folder: Path) -> Path:
    """Two columns of one name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    labels = pa.array(make_labels(10, 2).tolist())
    columns = [pa.array(list_contents(10)), labels, labels]
    pq.write_table(pa.table(columns, names=["img", "label", "label"]), folder / "train.parquet")
    return folder / "train.parquet"


# --------------------------------------------------------------------------------------- tables


def list_tables() -> Iterator[Case]:
    rows = b"id,label\n" + b"".join(b"cat/%d.png,a\ndog/%d.png,b\n" % (i, i) for i in range(3))
    cases: dict[str, tuple[str, bytes, str]] = {
        "one column": ("a.csv", b"id\n1\n2\n", "1 columns; expected 2 to"),
        "a million empty lines": ("a.csv", rows + b"\n" * 1_000_001, "500,000 rows"),
        "lines of JSON that are lists": ("a.jsonl", b"[1]\n[2]\n", "is no object of names"),
        "a line that is no JSON": ("a.jsonl", b'{"id": 1}\nwords\n', "cannot be read as a table"),
    }
    for name, (file, content, says) in cases.items():
        yield Case("table", name, lambda at, f=file, c=content: write_table(at, f, c), load, says)


# ------------------------------------------------------------------------------------- archives


def list_archives() -> Iterator[Case]:
    yield Case("zip", "with a password", lock, load, "protected with a password")
    yield Case("zip", "damaged", damage_zip, load, "cannot be read")
    cut = lambda at: put("a.tar.gz", packed_pets(at)[:-2000])(at)  # noqa: E731
    yield Case("tar", "cut short", cut, load, "cannot be read")
    yield Case("tar", "a batch twice", write_batch_twice, load, "twice")
    nothing = put("cifar-10.tar.gz", b"")
    yield Case("tar", "of no bytes", nothing, load, "empty (0 bytes)")
    halves = gzip.compress(member("cifar-10-batches-py/readme.html", b"x") + bytes(10_240))
    yield Case("tar", "without its batches", put("cifar-10.tar.gz", halves), load, "it lacks")


def write_batch_twice(folder: Path) -> Path:
    """An archive of CIFAR-10 that holds all its members twice."""
    content = whole_tar(folder)
    return put("cifar-10.tar.gz", gzip.compress(content + content + bytes(10_240)))(folder)


def lock(folder: Path) -> Path:
    """A zip file whose members claim to be encrypted."""
    path = write_zip(folder)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2")
    content[at + 8] |= 1
    path.write_bytes(bytes(content))
    return path


def damage_zip(folder: Path) -> Path:
    """A zip file one of whose members has other bytes than its sum tells."""
    path = write_zip(folder)
    content = bytearray(path.read_bytes())
    content[100:140] = bytes(40)
    path.write_bytes(bytes(content))
    return path


def packed_pets(folder: Path) -> bytes:
    """Two class folders in a packed tar file."""
    root = write_pictures(folder / "pets")
    members = [member(str(p.relative_to(folder)), p.read_bytes()) for p in root.rglob("*.png")]
    return gzip.compress(b"".join(members) + bytes(1024))
