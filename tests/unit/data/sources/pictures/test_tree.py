"""A folder is read once: what is a picture, which links are followed, and where it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallvision.data.decoding import regular
from smallvision.data.sources.pictures.tree import read_tree, show_inside
from smallvision.errors import DataError
from tests.support.sources import plant_tree


def list_names(folder):
    return [Path(path).relative_to(folder.path).as_posix() for path in folder.list_pictures()]


@pytest.mark.parametrize(
    ("suffixes", "found"),
    [
        (None, ["0.PNG"]),
        ((".dat",), ["0.PNG", "1.dat"]),
        (("DAT", "bin"), ["0.PNG", "1.dat", "2.bin"]),
        (("*",), ["0.PNG", "1.dat", "2.bin", "README"]),
    ],
)
def test_suffixes_of_pictures(suffixes, found, tmp_path):
    plant_tree(tmp_path, "0.PNG 1.dat 2.bin README Thumbs.db")
    folder, _ = read_tree(tmp_path, suffixes)
    assert folder.pictures == found
    assert sorted(folder.pictures + folder.others) == ["0.PNG", "1.dat", "2.bin", "README"]


def test_a_link_is_followed_once_and_not_behind_another(tmp_path):
    plant_tree(
        tmp_path, "in/a>out in/b>out/deep in/up>. out/0.png out/deep/1.png out/far>else else:1"
    )
    folder, left_out = read_tree(tmp_path / "in")
    assert list_names(folder) == ["a/0.png", "a/deep/1.png"]
    assert [(one.reason, one.example) for one in left_out] == [
        ("behind a link", "a/far"),
        ("behind a link", "b"),
        ("behind a link", "up"),
    ]


def test_a_tree_ends(tmp_path, monkeypatch):
    plant_tree(tmp_path, "a/b/0.png .hidden/a/b/c/1.png")
    monkeypatch.setattr(regular, "MAX_DEPTH", 2)
    assert read_tree(tmp_path)[0].total == 1
    monkeypatch.setattr(regular, "MAX_DEPTH", 1)
    with pytest.raises(DataError, match="folders more than 1 deep"):
        read_tree(tmp_path)
    monkeypatch.setattr(regular, "MAX_DEPTH", 9)
    monkeypatch.setattr(regular, "MAX_ENTRIES", 3)
    with pytest.raises(DataError, match="more than 3 files"):
        read_tree(tmp_path)


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match=f"{tmp_path / 'gone'} cannot be read"):
        read_tree(tmp_path / "gone")


def test_a_name_that_is_no_text_can_be_recorded(tmp_path):
    path = tmp_path / os.fsdecode(b"\xff.txt")
    assert show_inside(path, tmp_path) == "\\xff.txt"
    assert show_inside(tmp_path, tmp_path / "cat") == str(tmp_path)
