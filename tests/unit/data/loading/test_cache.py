"""The cache: never wrong, never in the way."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.loading import cache as cache_module
from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.sources.source import Layout, LeftOut
from smallvision.data.storage.room import cache_folder
from smallvision.errors import DataError
from tests.support.records import HASH
from tests.support.sources import encode_picture, write_pictures


@pytest.fixture
def pets(tmp_path):
    for part in ("train", "test"):
        write_pictures(tmp_path / "pets" / part)
    return tmp_path / "pets"


@pytest.fixture
def reads(monkeypatch):
    """The parts that were decoded from their source, in order."""
    parts = []
    original = Layout.read

    def spy(self, part, shape=None):
        parts.append(part)
        return original(self, part, shape)

    monkeypatch.setattr(Layout, "read", spy)
    return parts


def entry(kind: str) -> Path:
    (path,) = cache_folder().rglob(kind)
    return path


def test_the_second_load_decodes_nothing(pets, reads):
    first = load_data(pets)
    assert reads == ["train", "test"]
    second = load_data(pets)
    open_sealed_test(second.test)
    assert reads == ["train", "test"]
    assert second.train.fingerprint == first.train.fingerprint
    assert (
        second.test.fingerprint
        == first.test.fingerprint
        == open_sealed_test(first.test).fingerprint
    )
    assert isinstance(second.train.images.base, np.memmap)
    assert (second.train.class_names, second.notes) == (first.train.class_names, first.notes)


def test_a_warm_load_does_not_open_the_test_images(pets, reads, monkeypatch):
    load_data(pets)
    opened = []
    original = np.load
    monkeypatch.setattr(
        np, "load", lambda path, **o: opened.append(path.name) or original(path, **o)
    )
    load_data(pets)
    names = ("images", "labels", "files", "origins")
    assert opened == [f"train-{name}.npy" for name in names]


def touch(pets):
    os.utime(pets / "train" / "cat" / "0.png", (1, 1))


def replace(pets):
    path = pets / "train" / "cat" / "0.png"
    path.write_bytes((pets / "train" / "cat" / "1.png").read_bytes())


def add(pets):
    path = pets / "train" / "cat" / "new.png"
    path.write_bytes((pets / "train" / "cat" / "1.png").read_bytes())


def remove(pets):
    (pets / "train" / "cat" / "1.png").unlink()


@pytest.mark.parametrize("change", [touch, replace, add, remove])
def test_a_changed_source_is_decoded_anew_over_the_old_entry(change, pets, reads):
    load_data(pets)
    change(pets)
    load_data(pets)
    assert reads == ["train", "test"] * 2
    assert len(list(cache_folder().rglob("train.manifest.json"))) == 1


def test_each_image_size_has_an_entry(pets, reads):
    for size in (16, 24, 16, 24):
        assert load_data(pets, image_size=size).train.shape == (3, size, size)
    assert reads == ["train", "test"] * 2


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-3])


def empty(path):
    path.write_bytes(b"")


def open_bracket(path):
    """Where an array's header should end, so that it is no Python."""
    content = bytearray(path.read_bytes())
    content[content.index(b"}") if b"}" in content else 0] ^= 1
    path.write_bytes(content)


def lose(path):
    path.unlink()


def scramble(path):
    path.write_bytes(os.urandom(path.stat().st_size))


@pytest.mark.parametrize("damage", [flip, cut, empty, open_bracket, lose, scramble])
@pytest.mark.parametrize("file", ["train-images.npy", "train-labels.npy", "train.manifest.json"])
def test_a_damaged_entry_is_rebuilt_in_silence(file, damage, pets, reads):
    first = load_data(pets)
    damage(entry(file))
    second = load_data(pets)
    assert second.train.fingerprint == first.train.fingerprint
    if not (
        file == "train.manifest.json" and damage is flip
    ):  # a flipped space between fields is no loss
        assert reads == ["train", "test", "train"]
        load_data(pets)
        assert len(reads) == 3


@pytest.mark.parametrize(
    "changes",
    [{"shape": None}, {"class_names": 3}, {"fingerprint": HASH}, {"n": "x"}, {"notes": 1}],
)
def test_a_manifest_with_nonsense_is_not_believed(changes, pets, reads):
    first = load_data(pets)
    manifest = entry("train.manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changes}))
    assert load_data(pets).train.fingerprint == first.train.fingerprint
    assert reads == ["train", "test", "train"]


def test_a_damaged_test_entry_is_rebuilt_when_the_seal_is_broken(pets, reads):
    data = load_data(pets)
    flip(entry("test-images.npy"))
    assert open_sealed_test(data.test).fingerprint == data.test.fingerprint
    assert reads == ["train", "test", "test"]


def test_a_source_that_changed_behind_the_seal_is_not_opened(pets, refuses):
    data = load_data(pets)
    picture = encode_picture(np.zeros((16, 16, 3), dtype=np.uint8))
    (pets / "test" / "dog" / "0.png").write_bytes(picture)
    with refuses(pets, "changed after they were sealed", "load the data anew"):
        open_sealed_test(data.test)


def test_a_place_that_cannot_be_written_only_costs_time(pets, tmp_path, monkeypatch, reads):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "file" / "cache"))
    first, second = load_data(pets), load_data(pets)
    assert first.train.fingerprint == second.train.fingerprint
    assert len(open_sealed_test(second.test)) == 10
    assert reads == ["train", "test"] * 2 + ["test"]


def test_a_full_disk_leaves_nothing_behind(pets, monkeypatch, reads):
    def fill(file, array, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", fill)
    assert len(load_data(pets).train) == 10
    assert [path for path in cache_folder().rglob("*") if path.is_file()] == []


def test_a_large_entry_is_checked_by_size_and_keeps_its_fingerprint(pets, monkeypatch, reads):
    first = load_data(pets)
    monkeypatch.setattr(cache_module, "HASHED_BYTES", 0)
    second = load_data(pets)
    assert vars(second.train)["fingerprint"] == first.train.fingerprint
    cut(entry("train-images.npy"))
    load_data(pets)
    assert reads == ["train", "test", "train"]


def test_a_damaged_source_is_never_cached(pets, refuses):
    path = pets / "train" / "cat" / "0.png"
    good = path.read_bytes()
    path.write_bytes(b"junk")
    for _ in range(2):
        with pytest.raises(DataError):
            load_data(pets, strict=True)
    path.write_bytes(good)
    assert len(load_data(pets).train) == 10


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"SMALLVISION_CACHE": "/a", "XDG_CACHE_HOME": "/b"}, Path("/a")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/smallvision")),
        ({}, Path.home() / ".cache" / "smallvision"),
        ({"SMALLVISION_CACHE": "~/mine"}, Path.home() / "mine"),
    ],
)
def test_where_the_cache_is(variables, wanted, monkeypatch):
    for name in ("SMALLVISION_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == wanted


def test_what_is_left_out_is_told_again_from_the_cache(pets, monkeypatch):
    original = Layout.read

    def leave_out(self, part, shape=None):
        left_out = (LeftOut("unreadable", 2, f"{part}/cat/x.png"),)
        return dataclasses.replace(original(self, part, shape), left_out=left_out)

    monkeypatch.setattr(Layout, "read", leave_out)
    (pets / "train" / "notes.txt").write_text("text")
    first, second = load_data(pets), load_data(pets)
    assert first.left_out == second.left_out
    assert first.left_out == (
        LeftOut("unreadable", 4, "train/cat/x.png"),
        LeftOut("no picture", 1, "train/notes.txt"),
    )
    assert "Left out: unreadable (4, such as train/cat/x.png); no picture" in second.notes[-1]
