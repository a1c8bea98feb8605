"""A folder that is kept in a store: seen at one moment, taken up whole, never written over."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from smallvision.errors import RecordError, SettingError
from smallvision.tracking import mirror
from smallvision.tracking.mirror import Mirror, mirrored


def write(folder: Path, **contents: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_text(content)


def read(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "mirror.json"
    }


def list_store(place: Path) -> list[str]:
    return sorted(path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file())


def test_what_is_gone_from_the_folder_is_gone_from_the_store(tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "store"
    with mirrored(folder, str(place)):
        write(folder, a="1", b="2")
        write(folder / "deep", c="1")
    assert len(list_store(place)) == 3  # an index and two contents, of three files
    with mirrored(folder, str(place), resume=True):
        (folder / "b").unlink()
        write(folder, a="3")
    assert len(list_store(place)) == 3
    with mirrored(tmp_path / "other", str(place), resume=True):
        assert read(tmp_path / "other") == {"a": "3", "deep/c": "1"}


def test_an_index_that_was_torn_is_passed_over(tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "store"
    with mirrored(folder, str(place)):
        write(folder, a="1")
    (place / "index-000000002.json").write_text('{"schema": 1, "pus')
    with mirrored(tmp_path / "other", str(place), resume=True):
        assert read(tmp_path / "other") == {"a": "1"}


@pytest.mark.parametrize("name", ["../a", "/a", "a/../../b", "a//b", "", "mirror/."])
def test_no_file_is_taken_up_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    folder, place = tmp_path / "run", tmp_path / "store"
    with mirrored(folder, str(place)):
        write(folder, a="1")
    index = place / "index-000000001.json"
    text = index.read_text().replace('"path": "a"', f'"path": "{name}"')
    index.write_text("\n".join(line for line in text.split("\n") if '"sum"' not in line[:7]))
    before = list_store(tmp_path)
    with (
        pytest.raises(RecordError, match=r"index-000000001\.json is damaged"),
        mirrored(tmp_path / "other", str(place), resume=True),
    ):
        pass
    assert list_store(tmp_path) == before


def test_content_that_has_changed_in_the_store_is_refused(tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "store"
    with mirrored(folder, str(place)):
        write(folder, a="1")
    next((place / "objects").iterdir()).write_text("2")
    with (
        pytest.raises(RecordError, match="is damaged; restore it"),
        mirrored(tmp_path / "other", str(place), resume=True),
    ):
        pass
    assert not (tmp_path / "other").exists()


def test_other_and_newer_work_is_not_written_over(tmp_path: Path) -> None:
    place = str(tmp_path / "store")
    with mirrored(tmp_path / "first", place):
        write(tmp_path / "first", a="1")
    with mirrored(tmp_path / "second", place, resume=True):
        write(tmp_path / "second", a="2")
    write(tmp_path / "third", a="3")
    for folder, resume, reason in (
        ("fourth", False, "already holds results"),
        ("first", True, "newer work"),
        ("third", True, "other work"),
    ):
        with (
            pytest.raises(RecordError, match=reason),
            mirrored(tmp_path / folder, place, resume=resume),
        ):
            pass


def test_of_two_machines_the_one_behind_leaves_the_store_alone(tmp_path: Path) -> None:
    place = str(tmp_path / "store")
    first, second = (Mirror.open(tmp_path / name, place) for name in ("first", "second"))
    write(tmp_path / "first", a="1")
    first.push()
    second.begin(resume=True, tell=str)
    write(tmp_path / "second", a="2")
    second.push()
    write(tmp_path / "first", a="3")
    with pytest.raises(RecordError, match="newer work by another machine"):
        first.push()
    third = Mirror.open(tmp_path / "third", place)
    third.begin(resume=True, tell=str)
    assert read(tmp_path / "third") == {"a": "2"}


def test_the_folder_is_seen_at_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files that always agree in the folder agree in the store, whenever they change."""
    folder, place = tmp_path / "run", tmp_path / "store"
    write(folder, a="1", b="1")
    plain, changes = mirror.read, iter("23")

    def read_slowly(path: Path, size: int) -> BinaryIO:
        content = plain(path, size)
        for number in changes:  # after the first of the two was read, and once more
            write(folder, a=number, b=number)
            break
        return content

    monkeypatch.setattr(mirror, "read", read_slowly)
    kept = Mirror.open(folder, str(place))
    kept.push()
    assert [path.read_text() for path in (place / "objects").iterdir()] == ["3"]


def test_a_database_is_copied_between_two_changes(tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "store"
    folder.mkdir()
    with sqlite3.connect(folder / "tune.sqlite3") as database:
        database.execute("create table t (n)")
        database.execute("insert into t values (1)")
        database.commit()
        database.execute("insert into t values (2)")  # and not done
        with mirrored(folder, str(place)):
            pass
    with mirrored(tmp_path / "other", str(place), resume=True):
        copy = sqlite3.connect(tmp_path / "other" / "tune.sqlite3")
        assert copy.execute("select n from t").fetchall() == [(1,)]
        copy.close()


def test_a_store_that_is_out_of_reach_for_a_while_disturbs_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "PERIOD", 0.01)
    folder, place = tmp_path / "run", tmp_path / "store"
    told: list[str] = []
    with mirrored(folder, str(place), tell=told.append):
        place.rename(tmp_path / "away")
        place.write_text("a file")
        write(folder, a="1")
        while not told:
            threading.Event().wait(0.01)
        place.unlink()
        (tmp_path / "away").rename(place)
    assert "it is tried again" in told[0]
    assert len(told) == 1
    with mirrored(tmp_path / "other", str(place), resume=True):
        assert read(tmp_path / "other") == {"a": "1"}


@pytest.mark.parametrize("place", ["run/inner", ".", "run"])
def test_a_folder_and_its_store_lie_apart(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match="lie in each other"):
        Mirror.open(tmp_path / "run", place)


def test_a_place_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "run").mkdir()
    works = False
    with (
        pytest.raises(RecordError, match="cannot be written"),
        mirrored(tmp_path / "run", str(tmp_path / "file" / "store")),
    ):
        works = True
    assert not works
