"""A folder is there with all its files, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.exporting.stage import stage


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fail_in(folder: Path) -> None:
    with stage(folder) as place:
        (place / "file").touch()
        raise ZeroDivisionError


def take_meanwhile(folder: Path) -> None:
    with stage(folder) as place:
        (place / "file").touch()
        folder.mkdir()
        (folder / "mine").touch()


def test_it_appears_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "export"
    with stage(folder) as place:
        (place / "file").touch()
        assert not folder.exists()
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert list_names(folder.parent) == ["export"]


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        fail_in(tmp_path / "export")
    assert not list_names(tmp_path)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    with stage(tmp_path / "export") as place:
        (place / "file").touch()
    assert (tmp_path / "export" / "file").exists()


@pytest.mark.parametrize("kind", ["file", "full", "link"])
def test_a_place_that_is_taken(tmp_path: Path, kind: str) -> None:
    folder, other = tmp_path / "export", tmp_path / "other"
    other.mkdir()
    if kind == "file":
        folder.touch()
    elif kind == "link":
        folder.symlink_to(other)
    else:
        folder.mkdir()
        (folder / "mine").touch()
    with pytest.raises(RecordError, match=r"with --out"), stage(folder):
        raise AssertionError
    assert not list_names(other)


def test_a_place_that_is_taken_meanwhile(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot write"):
        take_meanwhile(tmp_path / "export")
    assert list_names(tmp_path) == ["export"]
    assert list_names(tmp_path / "export") == ["mine"]


def test_what_a_kill_left_is_removed(tmp_path: Path) -> None:
    dead = tmp_path / f".export.{2**22 + 1}.0123456789abcdef.tmp"  # no process has such a number
    alive = tmp_path / f".export.{os.getpid()}.0123456789abcdef.tmp"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / "model.onnx").touch()
    with stage(tmp_path / "export"):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "export"]
