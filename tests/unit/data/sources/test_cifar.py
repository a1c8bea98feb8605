"""CIFAR archives: every edition reads back, and no damage or malice gets through."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.loading.places import find_named
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources.cifar_archives import CIFAR_ARCHIVES
from smallvision.data.sources.named import NAMED_DATA_SETS
from smallvision.errors import DataError
from tests.support.sources import find_archive, make_labels, make_pixels, pack

KINDS = [(e.name, e.kind) for e in CIFAR_ARCHIVES]


@pytest.mark.parametrize("packed", [False, True], ids=["unpacked", "packed"])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_reads_batches_in_official_order(name, kind, packed, write_cifar):
    chosen = find_archive(name, kind)
    place = write_cifar(chosen)
    data = load_data(pack(place) if packed else place)

    batches = [make_pixels(20, i) for i in range(len(chosen.train))]
    assert np.array_equal(data.train.images, np.concatenate(batches))
    assert np.array_equal(data.train.labels, np.tile(make_labels(20, 10), len(batches)))
    test = open_sealed_test(data.test)
    assert np.array_equal(test.images, make_pixels(20, len(chosen.train)))
    assert test.class_names == data.train.class_names == tuple(f"class{k}" for k in range(10))
    assert (len(data.test), data.test.fingerprint) == (20, test.fingerprint)


@pytest.mark.parametrize("inside", ["parent", "archive in parent"])
def test_finds_it_from_the_parent(inside, write_cifar):
    folder = write_cifar(find_archive("cifar10", "python"))
    if inside == "archive in parent":
        archive = pack(folder, name="cifar-10-python.tar.gz")
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        assert archive.exists()
    assert len(load_data(folder.parent).train) == 100


def test_says_when_a_batch_is_not_the_official_one(write_cifar):
    notes = load_data(write_cifar(find_archive("cifar100", "python"))).notes
    assert [note.split(" (")[0] for note in notes] == [
        "train: not the official cifar100 content",
        "test: not the official cifar100 content",
    ]


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


def test_reads_pickles_of_python_2(write_cifar):
    folder = write_cifar(find_archive("cifar10", "python"))
    (folder / "data_batch_1").write_bytes(python2_batch(make_pixels(20, 77)))
    assert np.array_equal(load_data(folder).train.images[:20], make_pixels(20, 77))


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
def test_names_the_file_that_is_wrong(damage, packed, write_cifar, refuses):
    folder = write_cifar(find_archive("cifar10", "python"))
    wanted = damage(folder)
    if packed:  # an archive says it in other words
        wanted = wanted.replace("test_batch is empty", "test_batch")
    with refuses(folder, wanted):
        load_data(pack(folder) if packed else folder)


def test_a_binary_batch_cut_short(write_cifar, refuses):
    folder = write_cifar(find_archive("cifar10", "binary"))
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
def test_a_hostile_pickle_never_runs(protocol, target, write_cifar, tmp_path, refuses):
    canary = tmp_path / "canary"
    folder = write_cifar(find_archive("cifar10", "python"))
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


def test_the_real_cifar10(real_data):
    try:
        layout = find_named(NAMED_DATA_SETS["cifar10"], real_data)
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


@pytest.mark.parametrize("file", ["data_batch_1", "data_batch_3", "test_batch", "batches.meta"])
def test_a_batch_is_no_link_and_no_pipe(file, write_cifar, refuses):
    root = write_cifar(find_archive("cifar10", "python"))
    content = (root / file).read_bytes()
    (root / "elsewhere").write_bytes(content)
    for make, words in (
        (lambda path: path.symlink_to("elsewhere"), f"{file} is a link"),
        (lambda path: path.symlink_to("/dev/zero"), f"{file} is a link"),
        (os.mkfifo, f"{file} is no regular file"),
        (lambda path: path.write_bytes(b""), f"{file} is empty"),
    ):
        (root / file).unlink()
        make(root / file)
        with refuses(words):
            load_data(root)


def test_class_names_take_few_bytes(write_cifar, refuses, tmp_path):
    root = write_cifar(find_archive("cifar10", "binary"))
    (root / "batches.meta.txt").write_text("name " * 20_001)
    with refuses("batches.meta.txt has 100,005 bytes; expected at most 100,000"):
        load_data(root)
    with refuses("batches.meta.txt has 100,005 bytes; expected at most 100,000"):
        load_data(pack(root))
