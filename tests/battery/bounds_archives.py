"""Archives, arrays, pickles and folders that claim members, sizes, depth and steps."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import socket
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.battery.bounds_case import Case, fifo, hole, link, load, load_strictly, put
from tests.support.sources import find_archive, make_pixels, write_cifar, write_pictures

FOLDER = "cifar-10-batches-py"


def list_archives() -> Iterator[Case]:
    """Every kind of archive and folder."""
    yield from list_npz()
    yield from list_tar()
    yield from list_batches()
    yield from list_folders()
    special = "a pipe, a socket or a device"
    yield Case("files", "a pipe for an npz", fifo("data.npz"), load, special)
    yield Case("files", "a pipe for an archive", fifo("cifar-10.tar.gz"), load, special)
    yield Case("files", "an endless device", lambda at: Path("/dev/zero"), load, special)
    yield Case("files", "a link to a device", link("data.npz", "/dev/zero"), load, special)
    yield Case("files", "a socket", make_socket, load, special)
    archive = hole("cifar-10.tar.gz", 500_000_000, gzip.compress(b""))
    yield Case("files", "500 MB of an archive", archive, load, "cannot be read")


def make_socket(folder: Path) -> Path:
    """A socket; its path is short, since systems allow no other."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("data.npz")
    finally:
        os.chdir(here)
    return folder / "data.npz"


# npz -----------------------------------------------------------------------------------------


def header(shape: tuple[int, ...] | str, kind: str = "|u1", *, long: bool = False) -> bytes:
    """The beginning of an npy file."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    if long:
        return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def npy(array: np.ndarray) -> bytes:
    """An array as a file."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def pack(members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file; what it lacks of `x` and `y` is as it should be."""
    whole = {"x.npy": npy(make_pixels(20)), "y.npy": npy(np.arange(20) % 2)}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in (whole | members).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def claim(content: bytes, name: bytes, at: int, value: int) -> bytes:
    """A zip file whose directory claims another number for a member."""
    place = content.rfind(name, 0, content.rfind(b"PK\5\6")) - 46
    assert content[place : place + 4] == b"PK\1\2"
    return content[: place + at] + struct.pack("<I", value) + content[place + at + 4 :]


def list_npz() -> Iterator[Case]:
    """Zip files of arrays."""
    files: dict[str, tuple[Callable[[], bytes], str | None]] = {
        "10^12 pixels in no bytes": (
            lambda: pack({"x.npy": header((10**6, 1, 1000, 1000))}),
            "x claims 1,000,000,000,000 bytes and holds 0",
        ),
        "10^30 pixels": (lambda: pack({"x.npy": header((10**10,) * 3)}), "x claims 1,000,000"),
        "more bytes than its shape": (
            lambda: pack({"x.npy": header((20, 8, 8)) + bytes(5000)}),
            "x claims 1,280 bytes and holds 5,000",
        ),
        "a negative shape": (lambda: pack({"x.npy": header((-20, 8, 8))}), "has the shape (-20"),
        "a header of 50 MB": (
            lambda: pack({"x.npy": header("(20,8,8)" + " " * 50_000_000, long=True)}),
            "the header of x has 50,0",
        ),
        "a header of parentheses": (
            lambda: pack({"x.npy": header("(" * 4000 + "1" + ")" * 4000)}),
            "cannot be read as plain arrays",
        ),
        "a header of minus signs": (
            lambda: pack({"x.npy": header("(" + "-" * 9000 + "1,)")}),
            "cannot be read as plain arrays",
        ),
        "150 MB of zeros": (
            lambda: pack({"x.npy": header((150_000, 1, 1000)) + bytes(150_000_000)}),
            "x unpacks to 150,",
        ),
        "zeros that claim to be packed less": (
            lambda: claim(
                pack({"x.npy": header((150_000, 1, 1000)) + bytes(150_000_000)}),
                b"x.npy",
                20,
                10**9,
            ),
            "x unpacks to 150,",
        ),
        "labels for no image": (
            lambda: pack({"y.npy": npy(np.zeros(30_000_000, np.int8))}),
            "20 x but 30,000,000 y",
        ),
        "a label of 100,000 characters": (
            lambda: pack({"y.npy": npy(np.array(["a" * 100_000] + ["b"] * 19))}),
            "y hold 400,000 bytes each",
        ),
        "one-hot labels of 10^6 classes": (
            lambda: pack({"y.npy": npy(np.zeros((20, 10**6), np.int8))}),
            "y have shape (20, 1000000); expected one number",
        ),
        "10^6 class names": (
            lambda: pack({"class_names.npy": npy(np.arange(10**6).astype("U7"))}),
            "class_names holds 1,000,000 names",
        ),
        "class names in a cube": (
            lambda: pack({"class_names.npy": npy(np.zeros((9, 9, 9), "U7"))}),
            "class_names is no list",
        ),
        "30,000 members": (
            lambda: pack({f"{i}.npy": b"" for i in range(30_000)}),
            "its directory has",
        ),
        "names of 60,000 characters": (
            lambda: pack({f"{i}{'a' * 60_000}.npy": b"" for i in range(20)}),
            "its directory has",
        ),
        "packed by lzma": (lambda: pack({}, zipfile.ZIP_LZMA), "numpy does not write"),
        "packed by bzip2": (lambda: pack({}, zipfile.ZIP_BZIP2), "numpy does not write"),
        "a pickle": (lambda: pack({"x.npy": pickle.dumps([1] * 100)}), "x is no array"),
        "objects": (
            lambda: pack({"x.npy": header((20,), "|O") + pickle.dumps([1] * 20)}),
            "x holds Python objects",
        ),
        "twenty names of other things": (
            lambda: (
                pack({"x.npy": b"", "y.npy": b""})
                .replace(b"x.npy", b"a.npy")
                .replace(b"y.npy", b"b.npy")
            ),
            "it holds a, b; expected",
        ),
        "as it should be": (lambda: pack({}), None),
        "80 MB of images in 80 kB": (
            lambda: pack(
                {
                    "x.npy": npy(honest_images(26_000)),
                    "y.npy": npy(np.arange(26_000) % 2),
                }
            ),
            None,
        ),
    }
    for name, (build, says) in files.items():
        slow = name.startswith(("150", "zeros", "labels", "80", "a header of 50", "30,000"))
        needs = 80_000_000 if name.startswith("80") else 0
        make = lambda at, b=build: put("data.npz", b())(at)  # noqa: E731
        yield Case("npz", name, make, load, says, needs, slow)


def honest_images(n: int) -> np.ndarray:
    """Images that are all different and nearly all zeros."""
    images = np.zeros((n, 32, 32, 3), np.uint8)
    images.reshape(n, -1)[:, :4] = np.arange(n, dtype="<u4")[:, None].view(np.uint8)
    return images


# tar.gz --------------------------------------------------------------------------------------


def member(
    name: str, content: bytes, kind: bytes = tarfile.REGTYPE, size: int | None = None
) -> bytes:
    """A member of an archive, which may claim another size."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content) if size is None else size
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def pax(text: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header."""
    return member("pax", text, kind)


def record(key: bytes, value: bytes) -> bytes:
    """A record of an extended header, which begins with its own length."""
    length = len(key) + len(value) + 3
    length += len(str(length + len(str(length))))
    return b"%d %s=%s\n" % (length, key, value)


def sparse_map() -> bytes:
    """A member with a map of its holes that is far larger than a header."""
    text = record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0")
    text += record(b"GNU.sparse.name", b"x") + record(b"GNU.sparse.realsize", b"9")
    return pax(text) + member("x", b"500000\n" + b"0\n1\n" * 500_000)


def old_sparse() -> bytes:
    """A member whose list of holes goes on in ten thousand blocks."""
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[482] = 1  # the list goes on
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    more = (b"%011o\0" % 1) * 42 + b"\1" + bytes(7)
    return bytes(block) + more * 10_000


def list_tar() -> Iterator[Case]:
    """Archives of CIFAR-10 with something before what they should hold."""
    link_name = tarfile.GNUTYPE_LONGLINK
    before: dict[str, tuple[Callable[[], bytes], str | None]] = {
        "201 members": (lambda: member("x", b"") * 201, None),
        "an extended header of 10 MB": (
            lambda: pax(bytes(10**7)),
            "an extended header of 10,000,000",
        ),
        "one for all members of 10 MB": (
            lambda: pax(bytes(10**7), tarfile.XGLTYPE),
            "an extended header of 10,000,000",
        ),
        "a name of 10 MB": (
            lambda: member("x", bytes(10**7), tarfile.GNUTYPE_LONGNAME),
            "an extended header of 10,000,000",
        ),
        "a link of 10 MB": (lambda: member("x", bytes(10**7), link_name), "header of 10,000,000"),
        "extended headers of extended headers": (
            lambda: pax(record(b"a", b"b")) * 201,
            "more than",
        ),
        "a map of 2 MB of holes": (sparse_map, "has a header of more than 32,768"),
        "a list of 10,000 blocks of holes": (old_sparse, "has a header of more than 32,768"),
        "digits that a pattern tries again": (lambda: pax(b"1" * 4096), None),
        "a claim of 8 GB": (lambda: member("x", b"", size=2**33 - 1), "claims 8,589,934,591 bytes"),
        "a claim of 10^18 bytes in an extended header": (
            lambda: pax(record(b"size", b"9" * 18)) + member("x", b""),
            "claims 999,999,999,999,999,999 bytes",
        ),
        "a claim of less than nothing": (
            lambda: pax(record(b"size", b"-512")) + member("x", b""),
            "claims -512 bytes",
        ),
        "a record without length": (
            lambda: pax(b"0 a=b\n") + member("x", b""),
            "the archive cannot be read",
        ),
        "a batch of 8 GB": (
            lambda: member(f"{FOLDER}/data_batch_1", b"", size=2**33 - 1),
            "claims 8,589,934,591 bytes",
        ),
        "a long name": (
            lambda: member("x", b"a" * 300, tarfile.GNUTYPE_LONGNAME) + member("x", b""),
            None,
        ),
        "20 extended headers": (lambda: (pax(record(b"a", b"b")) + member("x", b"")) * 20, None),
        "as it should be": (bytes, None),
    }
    for name, (build, says) in before.items():
        yield Case("tar", name, lambda at, b=build: make_tar(at, b()), load, says)
    many = lambda raw: gzip.compress(b"") * 20_001 + gzip.compress(raw)  # noqa: E731
    yield Case("tar", "20,001 gzip streams", lambda at: repack(at, many), load, "gzip streams")
    yield Case("tar", "a hundred gzip streams", lambda at: repack(at, gzip_in_parts), load, None)
    named = lambda raw: name_gzip(gzip.compress(raw), 20_000_000)  # noqa: E731
    yield Case("tar", "a gzip name of 20 MB", lambda at: repack(at, named), load, None)
    bomb = lambda at: make_tar(at, b"", zeros=450)  # noqa: E731
    yield Case("tar", "450 MB of zeros", bomb, load, "unpacks to more than 400,000,000", slow=True)
    batch = lambda at: make_tar(at, member(f"{FOLDER}/data_batch_1", bytes(170_000_000)))  # noqa: E731
    yield Case("tar", "a batch of 170 MB", batch, load, "at most 160,000,000", slow=True)


def gzip_in_parts(content: bytes) -> bytes:
    """Some streams of gzip, one after the other."""
    step = 9999
    starts = range(0, len(content), step)
    return b"".join(gzip.compress(content[start : start + step], 1) for start in starts)


def name_gzip(content: bytes, size: int) -> bytes:
    """A gzip file with a long name in its header."""
    return content[:3] + b"\x08" + content[4:10] + b"a" * size + b"\0" + content[10:]


def whole_tar(folder: Path) -> bytes:
    """The members of a small CIFAR-10."""
    source = write_cifar(folder, find_archive("cifar10", "python"))
    content = b"".join(
        member(f"{FOLDER}/{file.name}", file.read_bytes()) for file in sorted(source.iterdir())
    )
    for file in source.iterdir():
        file.unlink()
    source.rmdir()
    return content


def make_tar(folder: Path, before: bytes, zeros: int = 0) -> Path:
    """An archive with something before its members, and megabytes of zeros behind them."""
    path = folder / "cifar-10.tar.gz"
    packer = zlib.compressobj(1, wbits=31)
    with path.open("wb") as file:
        file.write(packer.compress(before + whole_tar(folder)))
        for _ in range(zeros // 10):
            file.write(packer.compress(member("zeros", bytes(10**7))))
        file.write(packer.compress(bytes(10_240)) + packer.flush())
    return path


def repack(folder: Path, pack_it: Callable[[bytes], bytes]) -> Path:
    """A whole archive that is packed in another way."""
    return put("cifar-10.tar.gz", pack_it(whole_tar(folder) + bytes(10_240)))(folder)


# CIFAR batches -------------------------------------------------------------------------------


def spell_pickle(data: bytes, labels: bytes = b"]") -> bytes:
    """A batch whose parts are given as programs."""
    return b"\x80\x02}(X\x04\0\0\0data" + data + b"X\x06\0\0\0labels" + labels + b"u."


def list_batches() -> Iterator[Case]:
    """Unpacked archives, one file of which is something else."""
    text = b"X" + struct.pack("<I", 10**6) + b"a" * 10**6 + b"\x94"
    call = b"c_codecs\nencode\n\x94"
    encoded = b"(" + text + call + b"h\x01h\x00X\x06\0\0\0latin1\x86R" * 300 + b"l"
    huge = b"\x8a\x09" + b"\xff" * 8 + b"\x1f"
    batches: dict[str, tuple[bytes, str]] = {
        "600,000 lists": (spell_pickle(b"(" + b"]" * 600_000 + b"l"), "more than 500,000 steps"),
        "sets": (spell_pickle(b"(" + b"\x8f" * 1000 + b"l"), "the step EMPTY_SET"),
        "doubles": (spell_pickle(b"]" + b"2" * 1000 + b"l"), "the step DUP"),
        "objects": (spell_pickle(b"c__main__\nX\n)\x81"), "the step NEWOBJ"),
        "slot 2^31": (spell_pickle(b"]r\xff\xff\xff\x7f"), "memo slot"),
        "the same text 300 times": (spell_pickle(encoded), "more bytes than it has"),
        "numbers that collide": (spell_pickle(b"(" + huge * 1000 + b"l"), "more than 32 bits"),
        "a number of 10^6 bits": (
            spell_pickle(b"\x8b" + struct.pack("<I", 125_000) + b"\x01" * 125_000),
            "the step LONG4",
        ),
        "a program": (
            spell_pickle(b"cposix\nsystem\nX\x04\0\0\0true\x85R"),
            "it asks for posix.system",
        ),
        "10^9 pixels on 8 bytes": (
            spell_pickle(
                b"cnumpy._core.numeric\n_frombuffer\n(U\x08aaaaaaaacnumpy\ndtype\nU\x02u1\x85R"
                b"J\0\0\0\x40\x85U\x01CtR"
            ),
            "is damaged or is no CIFAR batch",
        ),
    }
    for name, (content, says) in batches.items():
        yield Case("cifar", f"a batch: {name}", lambda at, c=content: spoil(at, c), load, says)
    places: dict[str, tuple[Callable[[Path], object], str]] = {
        "a link to an endless device": (lambda path: path.symlink_to("/dev/zero"), "is a link"),
        "a link to a file": (lambda path: path.symlink_to("/etc/hostname"), "is a link"),
        "a pipe": (os.mkfifo, "is no regular file"),
        "a folder": (lambda path: path.mkdir(), "is no regular file"),
        "170 MB of nothing": (
            lambda path: hole(path.name, 170_000_000)(path.parent),
            "expected at most 160,000,000",
        ),
    }
    for file in ("data_batch_1", "test_batch", "batches.meta"):
        for name, (make, says) in places.items():
            says = "at most 100,000" if "MB" in name and file == "batches.meta" else says
            yield Case(
                "cifar", f"{file}: {name}", lambda at, f=file, m=make: replace(at, f, m), load, says
            )
    words = lambda path: path.write_text("a " * 10**6)  # noqa: E731
    yield Case(
        "cifar",
        "10^6 class names",
        lambda at: replace(at, "batches.meta.txt", words, "binary"),
        load,
        "expected at most 100,000",
    )
    whole = lambda at: write_cifar(at, find_archive("cifar10", "python"))  # noqa: E731
    yield Case("cifar", "as it should be", whole, load, None)
    yield Case("cifar", "through a link to its folder", link_folder, load, None)


def spoil(folder: Path, content: bytes) -> Path:
    """A small CIFAR-10 with another first batch."""
    return replace(folder, "data_batch_1", lambda path: path.write_bytes(content))


def replace(folder: Path, file: str, make: Callable[[Path], object], kind: str = "python") -> Path:
    """A small CIFAR-10, one file of which is made anew."""
    root = write_cifar(folder, find_archive("cifar10", kind))
    (root / file).unlink()
    make(root / file)
    return root


def link_folder(folder: Path) -> Path:
    """A link to a small CIFAR-10."""
    (folder / "link").symlink_to(write_cifar(folder, find_archive("cifar10", "python")))
    return folder / "link"


# folders -------------------------------------------------------------------------------------


def list_folders() -> Iterator[Case]:
    """Folders of pictures, one entry of which is something else."""
    entries: dict[str, tuple[Callable[[Path], object], str | None]] = {
        "a pipe": (lambda cat: os.mkfifo(cat / "x.png"), "cat/x.png is no regular file"),
        "an endless device": (
            lambda cat: (cat / "x.png").symlink_to("/dev/zero"),
            "is no regular file",
        ),
        "a link to itself": (lambda cat: (cat / "x.png").symlink_to("x.png"), "cat/x.png"),
        "10 GB of nothing": (lambda cat: hole("x.png", 10**10)(cat), "at most 65,000,000"),
        "folders 400 deep": (lambda cat: deepen(cat, 400), "more than 32 deep"),
        "a name with line breaks": (lambda cat: (cat / "a\nb\r.png").write_bytes(b"?"), "a b"),
        "a name that is no text": (
            lambda cat: (cat / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"?"),
            "is no PNG, JPEG",
        ),
        "a picture behind a link": (lambda cat: (cat / "x.png").symlink_to(cat / "0.png"), None),
        "folders 20 deep": (lambda cat: deepen(cat, 20), None),
        "a circle of links": (lambda cat: (cat / "in").symlink_to(cat), None),
    }
    for name, (make, says) in entries.items():

        def build(folder: Path, make: Callable[[Path], object] = make) -> Path:
            root = write_pictures(folder / "pets")
            make(root / "cat")
            return root

        yield Case("folder", name, build, load_strictly, says)
    yield Case("folder", "1,200 classes", make_classes, load, "1200 class names", slow=True)


def deepen(folder: Path, depth: int) -> None:
    """Folders in folders."""
    here = os.open(folder, os.O_RDONLY)
    try:
        for _ in range(depth):
            os.mkdir("a", dir_fd=here)
            below = os.open("a", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)


def make_classes(folder: Path) -> Path:
    """More classes than a data set may have."""
    return write_pictures(folder / "pets", tuple(f"c{i:04d}" for i in range(1200)), n=2)
