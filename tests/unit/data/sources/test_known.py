"""Well-known data sets in the files of their authors: MNIST, SVHN, STL-10 and Tiny ImageNet."""

from __future__ import annotations

import gzip
import struct
import zlib

import numpy as np
import pytest

from smallvision.data.decoding.formats import gzipped
from smallvision.data.loading.load import load_data
from smallvision.errors import SettingError
from tests.support.sources import make_labels, write_pictures

RNG = np.random.default_rng(0)


def encode_idx(array: np.ndarray) -> bytes:
    return (
        b"\0\0\x08"
        + bytes([array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + (array.astype(np.uint8).tobytes())
    )


def write_mnist(folder, prefix="", *, packed=True, K=10, first=0):
    """Both parts of an IDX data set with 40 training and 20 test images."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, n in (("train", 40), ("t10k" if not prefix else "test", 20)):
        images = RNG.integers(0, 256, (n, 28, 28))
        for kind, array in (("images-idx3", images), ("labels-idx1", make_labels(n, K) + first)):
            content = encode_idx(array)
            path = folder / f"{prefix}{part}-{kind}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
    return folder


def describe(data):
    return len(data.train), len(data.test), data.train.shape, data.train.class_names


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inside", ["", "raw", "MNIST/raw"])
def test_mnist_lies_where_people_keep_it(packed, inside, tmp_path):
    write_mnist(tmp_path / "mnist" / inside, packed=packed)
    assert describe(load_data(tmp_path / "mnist")) == (40, 20, (1, 28, 28), tuple("0123456789"))


# As in pytorch/vision 3554.
def test_mnist_may_be_named_by_one_of_its_files(tmp_path):
    folder = write_mnist(tmp_path)
    assert len(load_data(folder / "train-images-idx3-ubyte.gz").test) == 20


def test_the_names_of_kaggle(tmp_path):
    folder = write_mnist(tmp_path, packed=False)
    for path in list(folder.glob("*-ubyte")):
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(load_data(folder).train) == 40


def test_fashion_mnist_has_names_for_its_classes(tmp_path):
    data = load_data(write_mnist(tmp_path / "FashionMNIST" / "raw"))
    assert data.train.class_names[:2] == ("T-shirt/top", "Trouser")
    assert data.notes[0].startswith("The files name no classes")


# As in tensorflow/datasets 812, pytorch/vision 8783 and pytorch/pytorch 42012.
def test_emnist_is_turned_and_its_labels_may_begin_at_one(tmp_path):
    folder = write_mnist(tmp_path / "gzip", "emnist-letters-", K=8, first=1)
    data = load_data(tmp_path)
    assert data.train.class_names == tuple("12345678")
    with gzip.open(folder / "emnist-letters-train-images-idx3-ubyte.gz") as file:
        stored = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 28, 28)
    assert (data.train.images[0, 0] == stored[0].T).all()
    assert "turned upright" in data.notes[0]


def test_several_sets_of_emnist_are_asked_about(tmp_path, refuses):
    write_mnist(tmp_path, "emnist-letters-")
    write_mnist(tmp_path, "emnist-digits-", K=4)
    with refuses(tmp_path, "several sets (emnist-digits, emnist-letters)", "--config"):
        load_data(tmp_path)
    assert load_data(tmp_path, config="digits").train.num_classes == 4


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-5], "claims 31,360 bytes"),
        (lambda content: gzip.compress(content)[:-9], "cut short"),
        (lambda content: b"\0\0\x0d" + content[3:], "type 0x0d; expected bytes"),
        (lambda content: b"hello world", "does not begin like an IDX file"),
        (lambda content: content[:6], "cut short"),
        (lambda content: gzip.compress(content)[:50] + bytes(200), "damaged"),
    ],
)
def test_damaged_idx_is_one_line(damage, words, tmp_path, refuses):
    path = write_mnist(tmp_path, packed=False) / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with refuses(tmp_path, "train-images-idx3-ubyte", words):
        load_data(tmp_path)


def test_idx_without_labels(tmp_path, refuses):
    (write_mnist(tmp_path) / "train-labels-idx1-ubyte.gz").unlink()
    with refuses(tmp_path, "the labels of the train part are missing"):
        load_data(tmp_path)


def test_gzip_that_unpacks_to_far_more(tmp_path, monkeypatch, refuses):
    path = write_mnist(tmp_path) / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(encode_idx(np.zeros((4000, 28, 28)))))
    monkeypatch.setattr(gzipped, "BOMB_BYTES", 10_000)
    with refuses(path.name, "unpacks to more than"):
        load_data(tmp_path)


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(name: str, array: np.ndarray, *, packed: bool = False) -> bytes:
    body = element(6, struct.pack("<II", 9, 0))
    body += element(5, struct.pack(f"<{array.ndim}i", *array.shape))
    short = struct.pack("<HH", 1, len(name)) + name.encode().ljust(4, b"\0")
    body += short if len(name) <= 4 else element(1, name.encode())
    body += element(2, array.astype(np.uint8).tobytes(order="F"))
    whole = element(14, body)
    packed_whole = zlib.compress(whole)
    return struct.pack("<II", 15, len(packed_whole)) + packed_whole if packed else whole


HEADER = b"MATLAB 5.0 MAT-file".ljust(124, b" ") + struct.pack("<H", 0x0100) + b"IM"


def write_svhn(folder, n=30):
    images = RNG.integers(0, 256, (32, 32, 3, n))
    labels = (make_labels(n, 10) + 1)[:, None]
    for part, packed in (("train", True), ("test", False)):
        content = HEADER + matrix("X", images, packed=packed) + matrix("y", labels, packed=packed)
        (folder / f"{part}_32x32.mat").write_bytes(content)
    return images, labels


def test_svhn(tmp_path):
    images, _ = write_svhn(tmp_path)
    data = load_data(tmp_path)
    assert describe(data) == (30, 30, (3, 32, 32), tuple("0123456789"))
    assert (data.train.images[3] == images[..., 3].transpose(2, 0, 1)).all()
    assert data.train.labels[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_svhn_as_scipy_writes_it(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    images, labels = write_svhn(tmp_path)
    arrays = {"X": images.astype(np.uint8), "y": labels.astype(np.uint8), "other": np.eye(3)}
    for packed in (True, False):
        scipy_io.savemat(tmp_path / "train_32x32.mat", arrays, do_compression=packed)
        data = load_data(tmp_path)
        assert (data.train.images[7] == images[..., 7].transpose(2, 0, 1)).all()


def test_the_extra_file_of_svhn_is_counted(tmp_path):
    write_svhn(tmp_path)
    (tmp_path / "extra_32x32.mat").write_bytes(HEADER)
    assert [one.example for one in load_data(tmp_path).left_out] == ["extra_32x32.mat"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MATLAB 7.3 MAT-file".ljust(512), "version 7.3"),
        (b"hello", "no .mat file of version 5"),
        (HEADER, "lacks a plain array 'X'"),
        (HEADER + matrix("X", np.zeros((32, 32, 3, 2)))[:-9], "damaged"),
        (HEADER + matrix("X", np.zeros((2, 2))) + matrix("y", np.zeros((2, 1))), "X has shape"),
        (HEADER + struct.pack("<II", 15, 4) + b"abcd", "damaged"),
        (HEADER + struct.pack("<II", 14, 2**31), "damaged"),
        (HEADER + element(1, b"") * 101, "more than 100 variables"),
    ],
)
def test_damaged_mat_is_one_line(content, words, tmp_path, refuses):
    (tmp_path / "train_32x32.mat").write_bytes(content)
    with refuses("train_32x32.mat", words):
        load_data(tmp_path)


def test_a_mat_that_claims_another_shape(tmp_path, refuses):
    whole = bytearray(matrix("X", np.zeros((32, 32, 3, 2))))
    at = whole.index(struct.pack("<4i", 32, 32, 3, 2))
    whole[at : at + 16] = struct.pack("<4i", 2**30, 32, 3, 2)
    (tmp_path / "train_32x32.mat").write_bytes(HEADER + bytes(whole))
    with refuses("claims the shape (1073741824, 32, 3, 2)"):
        load_data(tmp_path)


def write_stl10(folder, n=20):
    images = RNG.integers(0, 256, (n, 3, 96, 96), dtype=np.uint8)
    for part in ("train", "test"):
        (folder / f"{part}_X.bin").write_bytes(images.tobytes())
        (folder / f"{part}_y.bin").write_bytes((make_labels(n, 10) + 1).astype(np.uint8).tobytes())
    (folder / "unlabeled_X.bin").write_bytes(bytes(3 * 96 * 96 * 2))
    return images


def test_stl10(tmp_path):
    images = write_stl10(tmp_path)
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test), data.train.class_names[9]) == (20, 20, "truck")
    assert (data.train.images[4] == images[4].transpose(0, 2, 1)).all()
    assert [(one.reason, one.count) for one in data.left_out] == [("no label", 2)]


def test_stl10_that_is_cut_short(tmp_path, refuses):
    write_stl10(tmp_path)
    (tmp_path / "train_X.bin").write_bytes(bytes(100_000))
    with refuses("train_X.bin has 100,000 bytes"):
        load_data(tmp_path)
    with pytest.raises(SettingError, match="image_size does not apply"):
        load_data(tmp_path, image_size=16)


def write_tiny_imagenet(root):
    for name in ("n01", "n02"):
        write_pictures(root / "train" / name, ("images",), n=6)
    write_pictures(root / "val", ("images",), n=25)
    write_pictures(root / "test", ("images",), n=3)
    rows = [f"{i}.png\tn0{1 + i % 2}\t0\t0\t9\t9" for i in range(24)]
    (root / "val" / "val_annotations.txt").write_text("\n".join([*rows, "gone.png\tn01\t0"]))
    (root / "words.txt").write_text("n01\tcat, house cat\nn02\tdog\nn03\tcat\n")
    return root


def test_tiny_imagenet(tmp_path):
    data = load_data(write_tiny_imagenet(tmp_path / "tiny"))
    assert data.train.class_names == ("cat", "dog")
    assert data.val is not None
    names = sorted(f"{i}.png" for i in range(24))
    assert data.val.labels.tolist() == [int(name[:-4]) % 2 for name in names]
    assert {one.reason: one.count for one in data.left_out} == {
        "without a label": 4,
        "listed, and not there or there more than once": 1,
    }


def test_classes_of_the_same_word_keep_their_numbers(tmp_path):
    root = write_tiny_imagenet(tmp_path / "tiny")
    (root / "words.txt").write_text("n01\tcrane\nn02\tcrane\n")
    assert load_data(root).train.class_names == ("crane (n01)", "crane (n02)")
