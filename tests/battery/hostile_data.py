"""Data sets from strangers: whole but for one thing each, which is why they are refused.

Those that claim more than they hold are in the family of bounds.
"""

from __future__ import annotations

import os
import pickle
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.battery.bounds_archives import FOLDER, header, member, pack, whole_tar
from tests.battery.bounds_case import load, put
from tests.battery.bounds_parquet import both, write
from tests.battery.craft_parquet import BYTES, Column, Page, plain_images
from tests.support.sources import find_archive, write_cifar, write_parquet, write_pictures

# Name, what makes it in a folder, what opens it, and what the refusal has to say.
Case = tuple[str, Callable[[Path], Path], Callable[[Path], object], str]
BATCH = "data_batch_1"


def list_harmless() -> Iterator[tuple[str, Callable[[Path], Path], Callable[[Path], object]]]:
    """What the cases below are made from."""
    yield "archive", lambda at: make_tar(at, b"", keep=True), load
    yield "folder of batches", lambda at: write_cifar(at, find_archive("cifar10", "python")), load
    yield "npz", lambda at: put("data.npz", pack({}))(at), load
    yield "Parquet file", lambda at: put("train.parquet", write(both(), 12))(at), load
    yield "folder of pictures", lambda at: write_pictures(at / "pets"), load


def list_data(canary: Any) -> Iterator[Case]:
    """Every kind of source.

    Args:
        canary: an object whose pickle leaves a trace when it is read.
    """
    program = pickle.dumps({"data": canary, "labels": [0]})
    yield from list_archives(program)
    yield from list_arrays(canary)
    yield from list_tables()
    yield "folder: links in circles", make_circle, load, "there are no images"
    names = pickle.dumps({"label_names": canary})
    for file, content in ((BATCH, program), ("batches.meta", names)):
        make = lambda at, f=file, c=content: spoil(at, f, c)  # noqa: E731
        yield f"cifar: a program for {file}", make, load, f"{file} is damaged or is no CIFAR batch"


def list_archives(program: bytes) -> Iterator[Case]:
    """Archives whose first batch is elsewhere or something else."""
    own = f"{FOLDER}/{BATCH}"
    lacks = f"it lacks {own}"
    members: dict[str, tuple[bytes, str]] = {
        "an absolute path": (member(f"/{own}", b"x"), lacks),
        "a path that climbs": (member(f"{FOLDER}/../../{BATCH}", b"x"), lacks),
        "a path that climbs and comes back": (member(f"../{own}", b"x"), lacks),
        "a link": (link_member(own, "/etc/passwd", tarfile.SYMTYPE), "is not a plain file"),
        "a hard link": (link_member(own, "/etc/passwd", tarfile.LNKTYPE), "is not a plain file"),
        "a device": (link_member(own, "", tarfile.CHRTYPE), "is not a plain file"),
        "a pipe": (link_member(own, "", tarfile.FIFOTYPE), "is not a plain file"),
        "a folder": (link_member(own, "", tarfile.DIRTYPE), "is not a plain file"),
        "a program": (member(own, program), "it asks for posix.system"),
    }
    for name, (content, says) in members.items():
        make = lambda at, c=content: make_tar(at, c)  # noqa: E731
        yield f"archive: {name} for a batch", make, load, says
    twice = lambda at: make_tar(at, member(own, b"x"), keep=True)  # noqa: E731
    yield "archive: a batch that is no pickle, before the right one", twice, load, "is damaged"


def link_member(name: str, to: str, kind: bytes) -> bytes:
    """Something in an archive that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info.tobuf()


def make_tar(folder: Path, before: bytes, *, keep: bool = False) -> Path:
    """A whole archive, but for its first batch unless that is kept, behind something else."""
    import gzip

    content = whole_tar(folder)
    if not keep:
        start = content.index(f"{FOLDER}/{BATCH}".encode())
        size = int(content[start + 124 : start + 135], 8)
        content = content[:start] + content[start + 512 + size + -size % 512 :]
    return put("cifar-10.tar.gz", gzip.compress(before + content + bytes(10_240)))(folder)


def spoil(folder: Path, file: str, content: bytes) -> Path:
    """Unpacked batches, one of which is something else."""
    root = write_cifar(folder, find_archive("cifar10", "python"))
    (root / file).write_bytes(content)
    return root


def list_arrays(canary: Any) -> Iterator[Case]:
    """Zip files of arrays, one of which is something else."""
    pickled = pickle.dumps(canary)
    code = b"\x93NUMPY\x01\x00\x19\x00__import__('os').abort()\n"
    files: dict[str, tuple[bytes, str]] = {
        "objects": (pack({"x.npy": header((20,), "|O") + pickled}), "x holds Python objects"),
        "objects for labels": (
            pack({"y.npy": header((20,), "|O") + pickled}),
            "y holds Python objects",
        ),
        "objects for names": (
            pack({"class_names.npy": header((2,), "|O") + pickled}),
            "class_names holds Python objects",
        ),
        "a pickle": (pack({"x.npy": pickled}), "x is no array"),
        "a name that climbs": (
            pack({}).replace(b"x.npy", b"/.npy"),
            "it holds 'y' without its partner",
        ),
        "a header that is code": (pack({"x.npy": code}), "malformed node or string"),
        "no zip": (b"\x93NUMPY garbage", "not a zip file"),
    }
    for name, (content, says) in files.items():
        yield f"npz: {name}", put("data.npz", content), load, says


def list_tables() -> Iterator[Case]:
    """Parquet files with rows that are something else."""
    words = Column(b"img", BYTES, [Page(plain_images([b"no picture"] * 12), 12)])
    files: dict[str, tuple[bytes, str]] = {
        "rows that are no pictures": (write([words, both()[1]], 12), "row 0 is no PNG"),
        "no footer": (b"PAR1" + bytes(99), "cannot be read as Parquet"),
        "a footer of zeros": (b"PAR1" + bytes(99) + b"\x20\0\0\0PAR1", "Couldn't deserialize"),
    }
    for name, (content, says) in files.items():
        yield f"parquet: {name}", put("train.parquet", content), load, says
    yield "parquet: a picture elsewhere", point_outside, load, "the picture is not inside the file"
    yield "parquet: a flipped bit", flip_page, load, "CRC checksum verification failed"


def point_outside(folder: Path) -> Path:
    """A Parquet file whose pictures are named, not held."""
    import pyarrow as pa
    from pyarrow import parquet

    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = pa.array([{"bytes": None, "path": "/etc/hostname"}] * 12, kind)
    parquet.write_table(pa.table({"img": rows, "label": [0, 1] * 6}), folder / "train.parquet")
    return folder / "train.parquet"


def flip_page(folder: Path) -> Path:
    """A Parquet file with checksums, one bit of whose pictures is not as it was."""
    import pyarrow as pa
    from pyarrow import parquet

    path = write_parquet(folder / "train.parquet", n=12, K=2, plain=True)
    table = parquet.read_table(path)
    assert isinstance(table, pa.Table)
    parquet.write_table(
        table, path, write_page_checksum=True, compression="none", use_dictionary=False
    )
    content = bytearray(path.read_bytes())
    content[content.index(b"\x89PNG", len(content) // 2) + 40] ^= 1  # the first are in a header
    path.write_bytes(bytes(content))
    return path


def make_circle(folder: Path) -> Path:
    """Class folders that hold each other and nothing else."""
    for name, other in (("a", "b"), ("b", "a")):
        (folder / name).mkdir()
        os.symlink(folder / other, folder / name / "in")  # noqa: PTH211
    return folder
