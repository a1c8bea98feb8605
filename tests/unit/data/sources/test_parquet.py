"""Parquet shards: columns, parts, names and damage."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources import parquet
from smallvision.data.sources.cifar_archives import CIFAR_CLASSES


@pytest.mark.parametrize("plain", [False, True], ids=["struct", "plain bytes"])
@pytest.mark.parametrize("image", ["img", "image"])
def test_reads_both_columns_kinds(plain, image, tmp_path, write_parquet):
    options = {"plain": plain, "image": image, "names": list("abcdefghij")}
    write_parquet(tmp_path / "set" / "train-00000-of-00001.parquet", n=30, **options)
    write_parquet(tmp_path / "set" / "test-00000-of-00001.parquet", n=20, seed=1, **options)
    data = load_data(tmp_path / "set")
    pixels = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), dtype=np.uint8)
    assert np.array_equal(data.train.images, pixels)
    assert np.array_equal(data.train.labels, np.arange(30) % 10)
    assert data.train.class_names == tuple("abcdefghij")
    assert (len(open_sealed_test(data.test)), data.source, data.notes) == (20, "Parquet", ())


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_reads_lossy_pictures(kind, tmp_path, write_parquet):
    place = write_parquet(tmp_path / "set.parquet", n=30, kind=kind, names=list("abcdefghij"))
    assert load_data(place).train.shape == (3, 32, 32)


def test_shards_are_read_in_order_from_sub_folders(tmp_path, write_parquet):
    for i in range(3):
        name = f"train-{i:05d}-of-00003.parquet"
        write_parquet(tmp_path / "set" / "plain_text" / name, seed=i, names=list("abcdefghij"))
    write_parquet(tmp_path / "set" / "test" / "0000.parquet", seed=9, names=list("abcdefghij"))
    write_parquet(tmp_path / "set" / "validation" / "0000.parquet", n=20, names=list("abcdefghij"))
    data = load_data(tmp_path / "set")
    shards = [
        np.random.default_rng(i).integers(0, 256, (10, 3, 32, 32), dtype=np.uint8) for i in range(3)
    ]
    assert np.array_equal(data.train.images, np.concatenate(shards))
    assert (len(data.val), len(data.test)) == (20, 10)


def test_a_single_file_is_divided(tmp_path, write_parquet):
    data = load_data(write_parquet(tmp_path / "pets.parquet", n=50, names=list("abcdefghij")))
    assert (len(data.train), len(data.test), data.name) == (40, 10, "pets")


def test_fine_labels_are_preferred(tmp_path, write_parquet):
    place = write_parquet(tmp_path / "set.parquet", n=300, K=100, label="fine_label")
    assert load_data(place).train.num_classes == 100


@pytest.mark.parametrize(
    ("image", "K", "names"),
    [
        ("img", 10, CIFAR_CLASSES["cifar10"]),
        ("image", 10, tuple("0123456789")),
        ("img", 3, tuple("012")),
    ],
)
def test_names_are_guessed_only_where_it_looks_like_cifar(image, K, names, tmp_path, write_parquet):
    data = load_data(write_parquet(tmp_path / "set.parquet", n=30, K=K, image=image))
    assert data.train.class_names == names
    assert data.notes[0].startswith("The files name no classes")


def missing_shard(folder, write):
    write(folder / "train-00000-of-00002.parquet")
    return "train-00001-of-00002.parquet is missing", "get all"


def no_train(folder, write):
    write(folder / "test-00000-of-00001.parquet")
    return "none is called train-…", ""


def stranger(folder, write):
    write(folder / "train.parquet")
    write(folder / "extra.parquet")
    return "extra.parquet starts with neither train", "rename or remove it"


def empty_file(folder, write):
    write(folder / "train.parquet").write_bytes(b"")
    return "train.parquet cannot be read as Parquet", "get it again"


def cut_file(folder, write):
    path = write(folder / "train.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    return "train.parquet cannot be read as Parquet", "get it again"


def label_too_high(folder, write):
    write(folder / "train.parquet", names=list("abc"), K=4)
    return "train.parquet holds labels from 0 to 3", "expected 0 to 2 (3 classes)"


def label_negative(folder, write):
    write(folder / "train.parquet", labels=[-1] * 10)
    return "train.parquet holds labels from -1 to -1", "expected 0"


def label_missing(folder, write):
    write(folder / "train.parquet", labels=[None, *range(9)])
    return "train.parquet: 1 rows have no label", "remove them"


def label_fraction(folder, write):
    write(folder / "train.parquet", labels=[0.5] * 10)
    return "column 'label' holds no whole numbers", ""


def other_columns(folder, write):
    write(folder / "train.parquet", image="photo")
    return "train.parquet has the columns photo, label", "expected pictures in img or image"


def broken_picture(folder, write):
    path = write(folder / "train.parquet", names=list("abcdefghij"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"IHDR", b"IHXX", 4))
    return "pictures cannot be read: train.parquet, row", "replace or remove them"


@pytest.mark.parametrize(
    "damage",
    [
        *(missing_shard, no_train, stranger, empty_file, cut_file, label_too_high),
        *(label_negative, label_missing, label_fraction, other_columns, broken_picture),
    ],
)
def test_names_the_file_that_is_wrong(damage, tmp_path, write_parquet, refuses):
    words = damage(tmp_path / "set", write_parquet)
    with refuses(tmp_path / "set", *words):
        load_data(tmp_path / "set")


def test_pictures_outside_the_file(tmp_path, refuses):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table({"image": [{"bytes": None, "path": "/etc/passwd"}] * 6, "label": [0, 1] * 3})
    table = table.set_column(
        0, "image", table["image"].cast(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    )
    pq.write_table(table, tmp_path / "set.parquet")
    with refuses("set.parquet, row 0: the picture is not inside the file"):
        load_data(tmp_path / "set.parquet")


def test_without_pyarrow_it_says_what_to_install(tmp_path, write_parquet, refuses, monkeypatch):
    place = write_parquet(tmp_path / "set.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refuses(place, "pip install 'smallvision[hub]'"):
        load_data(place)


def test_shards_agree_on_columns_and_names(tmp_path, write_parquet, refuses):
    """Names in another order would give every label of that file another meaning."""
    names = list("abcdefghij")
    write_parquet(tmp_path / "train.parquet", n=30, names=names)
    write_parquet(tmp_path / "test.parquet", n=20, names=names[::-1])
    with refuses("test.parquet has 'j' as class 0, unlike 'a' elsewhere", "expected"):
        load_data(tmp_path)
    write_parquet(tmp_path / "test.parquet", n=20, image="image", names=names)
    with refuses("test.parquet has columns image and label, unlike img and label elsewhere"):
        load_data(tmp_path)
    write_parquet(tmp_path / "test.parquet", n=20)
    assert load_data(tmp_path).train.class_names == tuple(names), "names may be left out"


def test_numbers_that_are_no_classes_are_not_named(tmp_path, write_parquet, refuses):
    write_parquet(tmp_path / "set.parquet", labels=[*range(9), 300_000_000])
    with refuses("labels up to 300,000,000", "at most 1,000 classes"):
        load_data(tmp_path / "set.parquet")


def test_shards_are_looked_for_one_by_one(write_parquet, tmp_path, refuses):
    for number in range(3):
        write_parquet(tmp_path / "set" / f"train-{number:05d}-of-99999.parquet", n=2)
    with refuses("train-00003-of-99999.parquet is missing; get all 99999 shards"):
        load_data(tmp_path / "set")


def test_shards_are_counted(write_parquet, tmp_path, refuses, monkeypatch):
    for number in range(3):
        write_parquet(tmp_path / "set" / f"train-{number}.parquet", n=2)
    monkeypatch.setattr(parquet, "MAX_SHARDS", 2)
    with refuses("there are 3 Parquet files; expected at most 2"):
        load_data(tmp_path / "set")
