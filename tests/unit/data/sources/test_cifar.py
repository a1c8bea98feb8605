"""CIFAR archives: every edition reads back, and no damage or malice gets through."""

from __future__ import annotations

import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.data.decoding import archive as archive_module
from smallvision.data.decoding.pickles import unpickle_arrays
from smallvision.data.loading.load import load_data
from smallvision.data.loading.locate import find_official
from smallvision.data.sealed_test import break_seal
from smallvision.data.sources.cifar_archives import EDITIONS
from smallvision.errors import DataError

KINDS = [(e.name, e.kind) for e in EDITIONS]


@pytest.mark.parametrize("packed", [False, True], ids=["unpacked", "packed"])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_reads_batches_in_official_order(name, kind, packed, edition, write_cifar, pack):
    chosen = edition(name, kind)
    place = write_cifar(chosen)
    data = load_data(pack(place) if packed else place)

    batches = [make_pixels(20, i) for i in range(len(chosen.train))]
    assert np.array_equal(data.train.images, np.concatenate(batches))
    assert np.array_equal(data.train.labels, np.tile(make_labels(20, 10), len(batches)))
    test = break_seal(data.test)
    assert np.array_equal(test.images, make_pixels(20, len(chosen.train)))
    assert test.class_names == data.train.class_names == tuple(f"class{k}" for k in range(10))
    assert (len(data.test), data.test.fingerprint) == (20, test.fingerprint)


@pytest.mark.parametrize("inside", ["parent", "archive in parent"])
def test_finds_it_from_the_parent(inside, edition, write_cifar, pack):
    folder = write_cifar(edition("cifar10", "python"))
    if inside == "archive in parent":
        archive = pack(folder, name="cifar-10-python.tar.gz")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        assert archive.exists()
    assert len(load_data(folder.parent).train) == 100


def test_says_when_a_batch_is_not_the_official_one(edition, write_cifar):
    notes = load_data(write_cifar(edition("cifar100", "python"))).notes
    assert [note.split(" (")[0] for note in notes] == [
        "train: not the official cifar100 content",
        "test: not the official cifar100 content",
    ]


def make_pixels(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)


def make_labels(n: int, K: int) -> np.ndarray:
    return np.arange(n) % K


def python2_batch(images: np.ndarray) -> bytes:
    """A batch as Python 2 wrote the official ones: byte strings and numpy's old names."""
    content = images.tobytes()
    shape = b"K" + bytes([len(images)]) + b"M\x00\x0c\x86"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01" + shape + b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + len(content).to_bytes(4, "little") + content + b"tb"
    )
    labels = b"](" + b"".join(b"K" + bytes([i % 10]) for i in range(len(images))) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + labels + b"u."


def test_reads_pickles_of_python_2(edition, write_cifar):
    folder = write_cifar(edition("cifar10", "python"))
    (folder / "data_batch_1").write_bytes(python2_batch(make_pixels(20, 77)))
    assert np.array_equal(load_data(folder).train.images[:20], make_pixels(20, 77))


def test_every_truncation_is_noticed(edition, write_cifar, pack, tmp_path, refuses):
    content = pack(write_cifar(edition("cifar100", "binary"), per_batch=4)).read_bytes()
    place = tmp_path / "cut.tar.gz"
    for end in np.linspace(0, len(content) - 1, 25).astype(int):
        place.write_bytes(content[:end])
        with refuses(place):
            load_data(place)


def test_no_bit_flip_loads_in_silence(edition, write_cifar, pack, tmp_path):
    original = pack(write_cifar(edition("cifar100", "binary"), per_batch=4))
    truth = load_data(original).train.fingerprint
    rng, place, noticed = np.random.default_rng(0), tmp_path / "flip.tar.gz", 0
    for _ in range(40):
        content = bytearray(original.read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        place.write_bytes(content)
        try:
            assert load_data(place).train.fingerprint == truth  # a flip in gzip's own date
        except DataError:
            noticed += 1
    assert noticed >= 35


def damage_missing(folder: Path) -> str:
    (folder / "data_batch_3").unlink()
    return "data_batch_3"


def damage_empty(folder: Path) -> str:
    (folder / "test_batch").write_bytes(b"")
    return "test_batch is empty"


def damage_cut(folder: Path) -> str:
    path = folder / "data_batch_2"
    path.write_bytes(path.read_bytes()[:-500])
    return "data_batch_2 is damaged"


def damage_label(folder: Path) -> str:
    record = {"data": make_pixels(3).reshape(3, -1), "labels": [0, 1, 10]}
    (folder / "data_batch_4").write_bytes(pickle.dumps(record, protocol=2))
    return "data_batch_4 holds labels from 0 to 10; expected 0 to 9"


def damage_lengths(folder: Path) -> str:
    record = {"data": make_pixels(3).reshape(3, -1), "labels": [0, 1]}
    (folder / "data_batch_4").write_bytes(pickle.dumps(record, protocol=2))
    return "data_batch_4 holds 3 images but 2 labels"


def damage_shape(folder: Path) -> str:
    record = {"data": make_pixels(3).astype(float), "labels": [0, 1, 2]}
    (folder / "data_batch_4").write_bytes(pickle.dumps(record, protocol=2))
    return "data_batch_4: 'data' is not a uint8 array"


def damage_keys(folder: Path) -> str:
    (folder / "data_batch_4").write_bytes(pickle.dumps({"pixels": 1}))
    return "data_batch_4 lacks 'data'"


def damage_kind(folder: Path) -> str:
    (folder / "data_batch_4").write_bytes(pickle.dumps([1, 2]))
    return "expected a dict"


def damage_fractions(folder: Path) -> str:
    record = {"data": make_pixels(2).reshape(2, -1), "labels": [0.5, 1.0]}
    (folder / "data_batch_4").write_bytes(pickle.dumps(record))
    return "data_batch_4: the labels are not a list of whole numbers"


def damage_names(folder: Path) -> str:
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": 3}))
    return "batches.meta holds no list 'label_names'"


DAMAGES = [value for key, value in sorted(globals().items()) if key.startswith("damage_")]


@pytest.mark.parametrize("packed", [False, True], ids=["unpacked", "packed"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_names_the_file_that_is_wrong(damage, packed, edition, write_cifar, pack, refuses):
    folder = write_cifar(edition("cifar10", "python"))
    wanted = damage(folder)
    if packed:  # an archive says it in other words
        wanted = wanted.replace("test_batch is empty", "test_batch")
    with refuses(folder, wanted):
        load_data(pack(folder) if packed else folder)


def test_a_binary_batch_cut_short(edition, write_cifar, refuses):
    folder = write_cifar(edition("cifar10", "binary"))
    path = folder / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with refuses("test_batch.bin", "cut short"):
        load_data(folder)


class Call:
    """Pickles as a call, which an ordinary unpickler would make."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("target", ["data_batch_1", "batches.meta"])
def test_a_hostile_pickle_never_runs(protocol, target, edition, write_cifar, tmp_path, refuses):
    canary = tmp_path / "canary"
    folder = write_cifar(edition("cifar10", "python"))
    for hostile in (
        Call(os.system, f"touch {canary}"),
        Call(eval, f"open({str(canary)!r}, 'w')"),
        Call(exec, f"open({str(canary)!r}, 'w')"),
        Call(open, str(canary), "w"),
    ):
        record = {"data": hostile, "labels": [0], "label_names": hostile}
        (folder / target).write_bytes(pickle.dumps(record, protocol=protocol))
        with refuses(target, "it asks for"):
            load_data(folder)
    assert not canary.exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cnumpy\nndarray.tofile\n.",
        b"cnumpy.testing\nrundocs\n.",
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00ziptR.",
        b"cbuiltins\neval\n(X\x03\x00\x00\x001+1tR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"Pos.system\n.",
        b"\x80\x02]r\xff\xff\xff\x7f.",
        b"]p2000000000\n.",
        b"garbage",
        b"",
    ],
)
def test_a_pickle_may_only_build_arrays(program, refuses):
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(program, "batch_x")


def member(name: str, **fields) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


BATCH = "cifar-10-batches-py/data_batch_1"


@pytest.mark.parametrize(
    "hostile",
    [
        member("/abs/data_batch_1", size=10),
        member("../../outside", size=10),
        member("cifar-10-batches-py/../../outside", size=10),
        member("cifar-10-batches-py/link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    ],
    ids=lambda info: info.name,
)
def test_strange_members_are_ignored_and_nothing_is_written(
    hostile, edition, write_cifar, pack, tmp_path, own_cache
):
    archive = pack(write_cifar(edition("cifar10", "python")), hostile)
    before = set(tmp_path.rglob("*"))
    assert len(load_data(archive).train) == 100
    after = {path for path in tmp_path.rglob("*") if own_cache not in (path, *path.parents)}
    assert after == before


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (member(BATCH, type=tarfile.SYMTYPE, linkname="/etc/passwd"), "not a plain file"),
        (member(BATCH, type=tarfile.LNKTYPE, linkname="test_batch"), "not a plain file"),
        (member(BATCH, type=tarfile.CHRTYPE), "not a plain file"),
        (member(BATCH, type=tarfile.FIFOTYPE), "not a plain file"),
        (member(BATCH, type=tarfile.DIRTYPE), "not a plain file"),
        (
            member(BATCH, pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": str(10**10)}),
            "not a plain file",
        ),
        (member(BATCH, size=10**10), "expected at most"),
    ],
    ids=["symlink", "hardlink", "device", "fifo", "folder", "sparse", "huge"],
)
def test_a_batch_must_be_a_plain_small_file(hostile, words, edition, write_cifar, pack, refuses):
    archive = pack(write_cifar(edition("cifar10", "python")), hostile)
    with refuses(archive, words):
        load_data(archive)


def test_a_batch_may_not_come_twice(edition, write_cifar, pack, refuses):
    again = member("cifar-10-batches-bin/data_batch_1.bin", size=3073)
    with refuses("data_batch_1.bin twice"):
        load_data(pack(write_cifar(edition("cifar10", "binary")), again))


def test_an_archive_that_unpacks_without_end(edition, write_cifar, pack, monkeypatch, refuses):
    archive = pack(write_cifar(edition("cifar10", "python")))
    monkeypatch.setattr(archive_module, "MAX_TOTAL_BYTES", 50_000)
    with refuses(archive, "unpacks to more than 50,000 bytes"):
        load_data(archive)


def test_an_archive_of_something_else(tmp_path, pack, refuses):
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "beach.txt").write_text("sun")
    with refuses("holiday.tar.gz", "not a data set", "CIFAR"):
        load_data(pack(folder))


def test_the_real_cifar10(real_data):
    try:
        layout = find_official("cifar10", real_data)
    except DataError as error:
        if "holds no cifar10" not in str(error):
            raise
        pytest.skip(f"SMALLVISION_DATA={real_data} holds no cifar10")
    train = layout.read("train").images
    levels = np.arange(256) / 255
    for channel, (mean, std) in enumerate(
        [(0.49139968, 0.24703223), (0.48215841, 0.24348513), (0.44653091, 0.26158784)]
    ):
        shares = np.bincount(train.images[:, channel].ravel(), minlength=256) / 51_200_000
        assert shares @ levels == pytest.approx(mean, abs=1e-8)
        assert shares @ levels**2 - mean**2 == pytest.approx(std**2, abs=1e-7)
    assert train.counts.tolist() == [5000] * 10
    assert train.class_names[3] == "cat"


class View:
    """An array of any size on eight bytes, by a stride of nothing."""

    def __init__(self, shape: tuple[int, ...], kind: str) -> None:
        self.arguments = (shape, np.dtype(kind), bytes(8), 0, (0,) * len(shape))

    def __reduce__(self) -> tuple[Any, ...]:
        return np.ndarray, self.arguments


class State:
    """An empty array, and what it is to be filled with."""

    def __init__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def __reduce__(self) -> tuple[Any, ...]:
        build, arguments, _ = np.empty(0).__reduce__()
        return build, arguments, self.state


def test_a_pickle_builds_no_array_larger_than_its_bytes(refuses):
    content = pickle.dumps({"data": View((10**7, 3072), "u1")})
    assert len(content) < 1000
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(content, "batch_x")
    objects = (1, (10**9,), np.dtype("O"), False, [])
    missing = (1, (10**9,), np.dtype("u1"), False, [])
    for state in (objects, missing, (1, (10**9,), np.dtype("u1"), False, b"few")):
        with refuses("batch_x is damaged or is no CIFAR batch"):
            unpickle_arrays(pickle.dumps({"data": State(state)}), "batch_x")
    flags = b"(I3\nS'|'\nNNNI-1\nI-1\nI63\ntb"  # which would make it a type of objects
    before = np.dtype("u1").flags
    plain = b"cnumpy\ndtype\n(S'u1'\ntR"
    record = unpickle_arrays(b"(S'data'\n" + plain + flags + b"d.", "batch_x")
    assert np.dtype("u1").flags == before
    assert not isinstance(record["data"], np.dtype)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["u1", "<i8", ">i4", "bool"])
def test_arrays_come_out_as_they_went_in(protocol, order, kind):
    array = np.asarray(np.arange(12).reshape(3, 4), dtype=kind, order=order)
    found = unpickle_arrays(pickle.dumps({"data": array}, protocol=protocol), "batch_x")["data"]
    assert np.array_equal(found, array)
    assert found.dtype == array.dtype


def test_a_pickle_builds_no_array_without_a_size(refuses):
    program = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nJ\x00\x00\x00\x7f\x85U\x01b\x87R."
    )
    with refuses("batch_x is damaged or is no CIFAR batch"):
        unpickle_arrays(program, "batch_x")


def test_a_sparse_member_of_nonsense_is_one_line(edition, write_cifar, pack, refuses):
    hostile = member("x", size=10, pax_headers={"GNU.sparse.map": "x"})
    with refuses("the archive cannot be read"):
        load_data(pack(write_cifar(edition("cifar10", "python")), hostile))
