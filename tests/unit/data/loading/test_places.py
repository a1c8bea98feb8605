"""Where a named data set is looked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.data.loading import download, load
from smallvision.data.loading.load import load_data
from smallvision.data.loading.places import find_places
from smallvision.data.sources.named import NAMED_DATA_SETS
from smallvision.errors import DataError
from tests.support.sources import find_archive, pack


@pytest.fixture
def small_cifar(monkeypatch):
    """Pretend that the official sets have the size and the classes of the small ones."""

    def shrink(name, train_n):
        known = NAMED_DATA_SETS[name]
        content = replace(known.content, train_n=train_n, test_n=20)
        return replace(known, class_names=known.class_names[:10], content=content)

    small = {"cifar10": shrink("cifar10", 100), "cifar100": shrink("cifar100", 20)}
    monkeypatch.setattr(load, "NAMED_DATA_SETS", {**NAMED_DATA_SETS, **small})


@pytest.fixture
def no_download(monkeypatch):
    """Notice, and refuse, every download."""
    asked = []

    def refuse(url, *_):
        asked.append(url)
        raise DataError(f"{url} cannot be downloaded (no network)")

    monkeypatch.setattr(download, "download", refuse)
    return asked


@pytest.mark.parametrize("kind", ["python", "binary"])
@pytest.mark.parametrize("where", ["folder", "parent", "archive", "parent of archive"])
def test_data_dir_may_be_the_folder_its_parent_or_the_archive(
    kind, where, write_cifar, small_cifar, no_download
):
    chosen = find_archive("cifar10", kind)
    folder = write_cifar(chosen)
    place = {"folder": folder, "parent": folder.parent}.get(where)
    if place is None:
        archive = pack(folder, name=chosen.file_name)
        folder.rename(folder.with_name("elsewhere"))
        place = archive if where == "archive" else archive.parent
    data = load_data("cifar10", data_dir=place)
    assert (data.name, len(data.train), len(data.test)) == ("cifar10", 100, 20)
    assert no_download == []


@pytest.mark.parametrize("inside", ["", "cifar10", "cifar10/plain_text", "plain_text"])
def test_data_dir_may_hold_parquet(inside, tmp_path, write_parquet, small_cifar, no_download):
    for part, n in (("train", 100), ("test", 20)):
        write_parquet(tmp_path / "hub" / inside / f"{part}-00000-of-00001.parquet", n=n)
    data = load_data("cifar10", data_dir=tmp_path / "hub")
    assert (len(data.train), len(data.test)) == (100, 20)
    assert data.train.class_names == NAMED_DATA_SETS["cifar10"].class_names


def test_each_cifar_is_told_from_the_other(write_cifar, small_cifar, no_download):
    root = write_cifar(find_archive("cifar10", "python")).parent
    write_cifar(find_archive("cifar100", "python"))
    assert load_data("cifar10", data_dir=root).source == "cifar10 python batches"
    assert load_data("cifar100", data_dir=root).source == "cifar100 python batches"


def test_data_dir_without_it_never_downloads(tmp_path, refuses, no_download):
    with refuses(
        f"{tmp_path} holds no cifar10; looked for cifar-10-python.tar.gz", "cifar-10-batches-py/"
    ):
        load_data("cifar10", data_dir=tmp_path)
    assert no_download == []


def test_a_part_of_cifar_is_not_cifar(write_cifar, refuses):
    folder = write_cifar(find_archive("cifar10", "python"))
    with refuses("50,000 training and 10,000 test images", "these files hold 100 and 20"):
        load_data("cifar10", data_dir=folder)


def test_the_environment_names_a_folder(write_cifar, small_cifar, no_download, monkeypatch):
    monkeypatch.setenv(
        "SMALLVISION_DATA", str(write_cifar(find_archive("cifar10", "python")).parent)
    )
    assert len(load_data("cifar10").train) == 100


def test_an_empty_environment_falls_through_to_the_cache(
    write_cifar, small_cifar, no_download, monkeypatch, tmp_path, own_cache
):
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("SMALLVISION_DATA", str(tmp_path / "nothing"))
    archive = pack(write_cifar(find_archive("cifar10", "python")), name="cifar-10-python.tar.gz")
    (own_cache / "downloads").mkdir(parents=True)
    archive.rename(own_cache / "downloads" / archive.name)
    assert len(load_data("cifar10").train) == 100
    assert no_download == []


def test_without_a_network_it_says_how_to_place_the_files(no_download, refuses):
    with refuses(
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz cannot be downloaded",
        *("cifar-10-batches-py/", "data_dir", "SMALLVISION_DATA"),
    ):
        load_data("cifar10")
    assert len(no_download) == 1


def test_a_download_is_loaded(write_cifar, small_cifar, monkeypatch, own_cache):
    archive = pack(write_cifar(find_archive("cifar100", "python")))

    def deliver(url, md5, folder):
        assert (url, folder) == (
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            own_cache / "downloads",
        )
        assert md5 == "eb9058c3a382ffc7106e4002c42a8d85"
        return archive

    monkeypatch.setattr(download, "download", deliver)
    assert load_data("cifar100").source == "cifar100 python archive"


@pytest.mark.parametrize("inside", ["", "cifar10"])
def test_other_parquet_files_do_not_hide_it(
    inside, tmp_path, write_parquet, small_cifar, no_download, own_cache, monkeypatch
):
    """Neither tables nor pictures of something else are taken for CIFAR."""
    write_parquet(tmp_path / "results.parquet", image="photo")
    write_parquet(tmp_path / "pets.parquet", n=30, image="image")
    for part in ("train", "test"):
        write_parquet(tmp_path / "plain_text" / f"{part}-0.parquet", image="image")
    for part, n in (("train", 100), ("test", 20)):
        write_parquet(own_cache / "downloads" / inside / f"{part}-00000-of-00001.parquet", n=n)
    monkeypatch.setenv("SMALLVISION_DATA", str(tmp_path))
    assert find_places()["cifar10"] == own_cache / "downloads" / inside
    assert len(load_data("cifar10").train) == 100
    assert no_download == []
