"""`load_data`: names, paths, where CIFAR is looked for, and what the seal holds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.loading import load, locate
from smallvision.data.loading.load import load_data
from smallvision.data.loading.locate import find_places
from smallvision.data.sealed_test import break_seal
from smallvision.data.sources.named import CATALOG
from smallvision.errors import DataError, SettingError


@pytest.fixture
def small_cifar(monkeypatch):
    """Pretend that the official sets have the size of the tiny ones."""
    small = {
        "cifar10": dataclasses.replace(CATALOG["cifar10"], train_n=100, test_n=20),
        "cifar100": dataclasses.replace(CATALOG["cifar100"], train_n=20, test_n=20, num_classes=10),
    }
    monkeypatch.setattr(load, "CATALOG", {**CATALOG, **small})


@pytest.fixture
def no_download(monkeypatch):
    """Notice, and refuse, every download."""
    asked = []

    def refuse(url, *_):
        asked.append(url)
        raise DataError(f"{url} cannot be downloaded (no network)")

    monkeypatch.setattr(locate, "download", refuse)
    return asked


@pytest.mark.parametrize("name", CATALOG)
def test_every_card_is_complete(name):
    source = CATALOG[name]
    assert source.name == name
    assert source.card.endswith(".")
    assert source.card.count(". ") == 0
    assert len(set(source.class_names)) == source.num_classes


def test_digits():
    data = load_data()
    assert (data.name, data.source, data.mirror_safe) == ("digits", "scikit-learn", False)
    assert len(data.train) + len(data.test) == 1797
    assert data.train.shape == (1, 8, 8)
    assert data.train.class_names == tuple("0123456789")
    assert (data.train.images.min(), data.train.images.max()) == (0, 255)
    assert data.notes == (f"{len(data.test)} images were set aside as the test set and sealed.",)
    assert len(data.test) == pytest.approx(360, abs=3)


def test_the_seed_chooses_the_test_images():
    fingerprints = [load_data("digits", seed=seed).test.fingerprint for seed in (0, 0, 1)]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_synthetic_by_name():
    data = load_data("synthetic", size=60, image_size=16, seed=1)
    assert (len(data.train), data.train.shape, data.mirror_safe) == (60, (3, 16, 16), True)


@pytest.mark.parametrize("word", ["cifar-10", "cfar10", "CIFAR10"])
def test_a_misspelt_name(word, refuses):
    with refuses(f"'{word}' is neither a known data set nor an existing file or folder"):
        load_data(word)


def test_a_near_miss_is_suggested(refuses):
    with refuses("did you mean 'cifar10'?"):
        load_data("cifar01")


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("digits", {"data_dir": "/x"}, "data_dir is for cifar10 and cifar100"),
        ("cifar10", {"size": 5}, "size is for synthetic"),
        ("digits", {"image_size": 32}, "image_size is for folders"),
        ("synthetic", {"image_size": 4}, "image_size is 4; expected 8 to 96"),
        ("synthetic", {"size": 3}, "size is 3; expected 30"),
    ],
)
def test_options_that_do_not_belong(source, options, words):
    with pytest.raises(SettingError, match=words):
        load_data(source, **options)


def test_image_size_for_images_that_have_one(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((9, 8, 8), np.uint8), y=np.arange(9) % 3)
    with pytest.raises(SettingError, match="image_size does not apply"):
        load_data(tmp_path / "x.npz", image_size=16)


def test_a_file_of_an_unknown_kind(tmp_path, refuses):
    (tmp_path / "notes.txt").write_text("hello")
    with refuses("notes.txt", "not a data set; expected a CIFAR .tar.gz, .parquet, .npz"):
        load_data(tmp_path / "notes.txt")


@pytest.mark.parametrize("kind", ["python", "binary"])
@pytest.mark.parametrize("where", ["folder", "parent", "archive", "parent of archive"])
def test_data_dir_may_be_the_folder_its_parent_or_the_archive(
    kind, where, edition, write_cifar, pack, small_cifar, no_download
):
    chosen = edition("cifar10", kind)
    folder = write_cifar(chosen)
    place = {"folder": folder, "parent": folder.parent}.get(where)
    if place is None:
        archive = pack(folder, name=chosen.archive)
        folder.rename(folder.with_name("elsewhere"))
        place = archive if where == "archive" else archive.parent
    data = load_data("cifar10", data_dir=place)
    assert (data.name, len(data.train), len(data.test)) == ("cifar10", 100, 20)
    assert no_download == []


@pytest.mark.parametrize("inside", ["", "cifar10", "cifar10/plain_text", "plain_text"])
def test_data_dir_may_hold_parquet(inside, tmp_path, write_shard, small_cifar, no_download):
    for part, n in (("train", 100), ("test", 20)):
        write_shard(tmp_path / "hub" / inside / f"{part}-00000-of-00001.parquet", n=n)
    data = load_data("cifar10", data_dir=tmp_path / "hub")
    assert (len(data.train), len(data.test)) == (100, 20)
    assert data.train.class_names == CATALOG["cifar10"].class_names


def test_each_cifar_is_told_from_the_other(edition, write_cifar, small_cifar, no_download):
    root = write_cifar(edition("cifar10", "python")).parent
    write_cifar(edition("cifar100", "python"))
    assert load_data("cifar10", data_dir=root).source == "cifar10 python batches"
    assert load_data("cifar100", data_dir=root).source == "cifar100 python batches"


def test_data_dir_without_it_never_downloads(tmp_path, refuses, no_download):
    with refuses(
        f"{tmp_path} holds no cifar10; looked for cifar-10-python.tar.gz", "cifar-10-batches-py/"
    ):
        load_data("cifar10", data_dir=tmp_path)
    assert no_download == []


def test_a_part_of_cifar_is_not_cifar(edition, write_cifar, refuses):
    folder = write_cifar(edition("cifar10", "python"))
    with refuses("50,000 training and 10,000 test images", "these files hold 100 and 20"):
        load_data("cifar10", data_dir=folder)


def test_the_environment_names_a_folder(
    edition, write_cifar, small_cifar, no_download, monkeypatch
):
    monkeypatch.setenv("SMALLVISION_DATA", str(write_cifar(edition("cifar10", "python")).parent))
    assert len(load_data("cifar10").train) == 100


def test_an_empty_environment_falls_through_to_the_cache(
    edition, write_cifar, pack, small_cifar, no_download, monkeypatch, tmp_path, own_cache
):
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("SMALLVISION_DATA", str(tmp_path / "nothing"))
    archive = pack(write_cifar(edition("cifar10", "python")), name="cifar-10-python.tar.gz")
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


def test_a_download_is_loaded(edition, write_cifar, pack, small_cifar, monkeypatch, own_cache):
    archive = pack(write_cifar(edition("cifar100", "python")))

    def deliver(url, md5, folder):
        assert (url, folder) == (
            "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
            own_cache / "downloads",
        )
        assert md5 == "eb9058c3a382ffc7106e4002c42a8d85"
        return archive

    monkeypatch.setattr(locate, "download", deliver)
    assert load_data("cifar100").source == "cifar100 python archive"


@pytest.fixture
def sealed_sets(tmp_path, write_pictures, write_shard, edition, write_cifar) -> list[DataSet]:
    write_pictures(tmp_path / "pets")
    write_shard(tmp_path / "set.parquet", n=50)
    return [
        load_data("digits"),
        load_data("synthetic", size=30),
        load_data(tmp_path / "pets"),
        load_data(tmp_path / "set.parquet"),
        load_data(write_cifar(edition("cifar10", "binary"))),
    ]


def test_nothing_but_the_seal_leads_to_the_test_images(sealed_sets):
    for data in sealed_sets:
        assert set(vars(data.test)) == {"size", "fingerprint"}
        assert set(vars(data)) == {field.name for field in dataclasses.fields(DataSet)}
        test = break_seal(data.test)
        assert (len(test), test.fingerprint) == (data.test.size, data.test.fingerprint)
        # Taken out of a larger array, the training images must not drag the rest along.
        base = data.train.images.base
        assert base is None or base.nbytes <= data.train.images.nbytes + 128


@pytest.mark.parametrize("inside", ["", "cifar10"])
def test_other_parquet_files_do_not_hide_it(
    inside, tmp_path, write_shard, small_cifar, no_download, own_cache, monkeypatch
):
    """Neither tables nor pictures of something else are taken for CIFAR."""
    write_shard(tmp_path / "results.parquet", image="photo")
    write_shard(tmp_path / "pets.parquet", n=30, image="image")
    for part in ("train", "test"):
        write_shard(tmp_path / "plain_text" / f"{part}-0.parquet", image="image")
    for part, n in (("train", 100), ("test", 20)):
        write_shard(own_cache / "downloads" / inside / f"{part}-00000-of-00001.parquet", n=n)
    monkeypatch.setenv("SMALLVISION_DATA", str(tmp_path))
    assert find_places()["cifar10"] == own_cache / "downloads" / inside
    assert len(load_data("cifar10").train) == 100
    assert no_download == []
