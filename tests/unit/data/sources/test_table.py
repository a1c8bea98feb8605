"""Which source recognizes a place, and what is said when none does."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest

from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources.pictures.folder import FolderSource
from smallvision.data.sources.pictures.patterns import PatternSource
from smallvision.data.sources.pictures.tables import TableSource
from smallvision.data.sources.source import SourceOptions
from smallvision.data.sources.table import SOURCES, recognize
from smallvision.errors import DataError, SettingError
from tests.support.sources import (
    LABELS,
    PIXELS,
    find_archive,
    pack,
    write_cifar,
    write_parquet,
    write_pictures,
)
from tests.unit.data.sources.test_known import (
    write_mnist,
    write_stl10,
    write_svhn,
)
from tests.unit.data.sources.test_pixel_tables import write_pixel_table
from tests.unit.data.sources.test_tables import TEN, pictures, table, write_files
from tests.unit.data.sources.test_tar_shards import make_samples, write_shard


def write_npz(folder):
    np.savez(folder / "x.npz", x=PIXELS, y=LABELS)
    return folder / "x.npz"


def write_class_arrays(folder):
    for name in ("cat", "dog"):
        np.save(folder / f"{name}.npy", PIXELS[:10])


def write_kind(folder, write):
    folder.mkdir()
    write(folder)
    return folder


def find_options(source):
    """What a source needs to be asked for."""
    asked = "label_from" in source.takes
    return SourceOptions(label_from="^([ab])" if asked else None)


def write_every_kind(folder):
    """A place of each kind of source, in the order of the table."""
    return [
        write_cifar(folder, find_archive("cifar10", "binary")),
        write_npz(folder),
        write_kind(folder / "classes", write_class_arrays),
        write_parquet(folder / "x.parquet"),
        write_shard(folder / "x.tar", make_samples(10)),
        write_mnist(folder / "mnist"),
        write_kind(folder / "svhn", write_svhn),
        write_kind(folder / "stl", write_stl10),
        write_pixel_table(folder / "mnist.csv"),
        write_files(folder / "names", {f"{c}{i}.png": None for c in "ab" for i in range(5)}),
        write_files(folder / "table", {"a.csv": table("id,label", TEN), **pictures("x/", TEN)}),
        write_pictures(folder / "pets"),
    ]


def test_exactly_one_source_recognizes_each_place(tmp_path):
    pytest.importorskip("pyarrow")
    for place, wanted in zip(write_every_kind(tmp_path), SOURCES, strict=True):
        others = [
            each
            for each in SOURCES
            if each is not wanted
            and not isinstance(each, FolderSource | PatternSource | TableSource)
        ]
        options = find_options(wanted)
        assert wanted.recognize(place, options) is not None
        assert [each.recognize(place, options) for each in others] == [None] * len(others)


def test_an_option_that_a_source_does_not_take_is_refused(tmp_path):
    pytest.importorskip("pyarrow")
    for place, source in zip(write_every_kind(tmp_path), SOURCES, strict=True):
        options = replace(find_options(source), image_size=16)
        if "image_size" in source.takes:
            assert recognize(place, options).read("train").images.shape == (3, 16, 16)
        else:
            with pytest.raises(SettingError, match=f"image_size does not apply to {place}"):
                recognize(place, options)


def test_an_archive_of_something_else(tmp_path, refuses):
    folder = tmp_path / "holiday"
    folder.mkdir()
    (folder / "beach.txt").write_text("sun")
    with refuses("holiday.tar.gz", "there are no images"):
        load_data(pack(folder))


def test_a_file_of_an_unknown_kind(tmp_path, refuses):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "notes.md").write_text("hello")
    with refuses("notes.txt", "cannot be read as a table"):
        load_data(tmp_path / "notes.txt")
    with refuses("notes.md", "not a data set", *(source.expects for source in SOURCES)):
        load_data(tmp_path / "notes.md")


@pytest.mark.parametrize("name", ["data.npz", "train.parquet", "cifar-10.tar.gz", "folder"])
def test_what_is_neither_a_file_nor_a_folder(name, tmp_path, refuses):
    os.mkfifo(tmp_path / name)
    (tmp_path / "link").symlink_to("/dev/zero")
    for place in (tmp_path / name, tmp_path / "link"):
        with refuses(place, "neither a file nor a folder"):
            recognize(place, SourceOptions())


def test_named_parts_are_files(tmp_path):
    for name, part in (("a", slice(0, 24)), ("b", slice(24, 32)), ("c", slice(32, 40))):
        np.savez(tmp_path / f"{name}.npz", x=PIXELS[part], y=LABELS[part])
    data = load_data(tmp_path / "a.npz", val=tmp_path / "b.npz", test=tmp_path / "c.npz")
    again = load_data(tmp_path, train="a.npz", val="b.npz", test=tmp_path / "c.npz")
    for each in (data, again):
        assert (len(each.train), len(each.val), len(each.test)) == (24, 8, 8)
        assert open_sealed_test(each.test).labels.tolist() == LABELS[32:].tolist()


def test_npz_files_called_like_parts_are_the_parts(tmp_path, refuses):
    np.savez(tmp_path / "train.npz", x=PIXELS[:32], y=LABELS[:32])
    np.savez(tmp_path / "test.npz", x=PIXELS[32:], y=LABELS[32:])
    data = load_data(tmp_path)
    assert (len(data.train), len(data.test)) == (32, 8)
    np.savez(tmp_path / "weights.npz", w=PIXELS)  # it cannot be told what belongs together
    with refuses(tmp_path, "Such NumPy files are not read"):
        load_data(tmp_path)


def test_a_file_is_named_once_in_an_error(tmp_path, refuses):
    (tmp_path / "photos.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / "photos.csv")
    assert str(caught.value).startswith(f"{tmp_path / 'photos.csv'}: none of its columns names")


@pytest.mark.parametrize("name", ["set.rar", "set.7z", "set.tar.xz", "set.z01", "set.zip.001"])
def test_archives_of_other_kinds_are_to_be_unpacked(name, tmp_path, refuses):
    (tmp_path / name).write_bytes(b"Rar!")
    for place in (tmp_path, tmp_path / name):
        with refuses(place, f"archive files are not read ({name}); unpack it first"):
            load_data(place)


def test_a_named_part_with_parts_of_its_own_is_refused(tmp_path, refuses):
    np.savez(tmp_path / "a.npz", x=PIXELS, y=LABELS)
    np.savez(tmp_path / "b.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS, y_test=LABELS)
    with refuses("b.npz, which is named for test, has parts of its own (train, test)"):
        load_data(tmp_path / "a.npz", test=tmp_path / "b.npz")
