"""Access inside folders of records: never through a link, never to a special file."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import files, nofollow
from smallvision.records.nofollow import exists, find_records, is_file, is_folder, list_folder

ACCESSES: dict[str, Callable[[Path], object]] = {
    "read": files.read_bytes,
    "hash": files.hash_file,
    "write": lambda path: files.write_bytes(path, b"ours"),
    "append": lambda path: files.append_text(path, lambda number: f"{number}\n"),
    "exists": exists,
    "is a folder": is_folder,
    "list": list_folder,
    "make": lambda path: files.make_folder(path / "below"),
    "remove": lambda path: nofollow.remove_folder(path),
    "copy": lambda path: files.copy_folder(path, path.with_name("copy"), lambda _: False),
}


@pytest.fixture(params=[True, False], ids=["by descriptor", "by path"])
def run(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder of records beside a secret, on systems with and without descriptors of folders."""
    monkeypatch.setattr(nofollow, "BY_DESCRIPTOR", request.param)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("key\n")
    folder = tmp_path / "run"
    (folder / "real" / "deep").mkdir(parents=True)
    (folder / "status.json").write_text("{}")
    yield folder
    assert (outside / "secret").read_text() == "key\n"
    assert [path.name for path in outside.iterdir()] == ["secret"]


@pytest.mark.parametrize("access", ACCESSES)
@pytest.mark.parametrize("link", ["file", "folder", "on the way", "dangling", "to itself"])
def test_no_link_is_followed(run: Path, access: str, link: str) -> None:
    place = run / "real" / "link"
    outside = run.parent / "outside"
    targets = {"file": outside / "secret", "dangling": outside / "new", "to itself": place}
    place.symlink_to(targets.get(link, outside))
    path = place / "secret" if link == "on the way" else place
    with pytest.raises(RecordError, match=r"real/link is a link, and what lies here"):
        ACCESSES[access](path)
    assert place.is_symlink()


@pytest.mark.parametrize("access", ["read", "hash", "write", "append", "exists"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_no_special_file_is_waited_for(run: Path, access: str, kind: str) -> None:
    place = run / "x"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(run)  # the path of a socket may be short only
            server.bind("x")
            os.chdir(here)
    else:
        try:
            os.mknod(place, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
        except PermissionError:
            pytest.skip("only root may make devices")
    with pytest.raises(RecordError, match=r"x is no regular file"):
        ACCESSES[access](place)


def test_what_a_person_names_may_be_a_link(run: Path) -> None:
    alias = run.parent / "alias"
    alias.symlink_to(run)
    assert is_file(alias / "status.json")
    files.write_text(alias / "real" / "a", "x")
    assert (run / "real" / "a").read_text() == "x"
    assert list_folder(alias) == ["real", "status.json"]


def test_the_outermost_folder_of_records_counts(run: Path) -> None:
    inner = run / "real" / "deep"
    (inner / "status.json").write_text("{}")
    assert find_records(inner / "x") == [run, inner]
    (run / "link").symlink_to(inner)
    with pytest.raises(RecordError, match=r"run/link is a link"):
        files.read_bytes(run / "link" / "status.json")
    assert files.read_bytes(inner / ".." / "deep" / "status.json") == b"{}"


def test_a_hole_is_refused_at_once(run: Path) -> None:
    with (run / "weights").open("wb") as file:
        file.truncate(10**13)
    with pytest.raises(RecordError, match=r"weights claims 10,000,000,000,000 bytes and holds 0"):
        files.hash_file(run / "weights")


def test_a_file_with_other_names_is_replaced_but_not_changed(run: Path) -> None:
    os.link(run.parent / "outside" / "secret", run / "log")
    with pytest.raises(RecordError, match="hard links"):
        files.append_text(run / "log", lambda number: f"{number}\n")
    files.write_text(run / "log", "ours")
    assert (run / "log").read_text() == "ours"


def test_names_of_temporary_files_cannot_be_prepared(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.secrets, "token_hex", lambda _: "0" * 16)
    prepared = run / f".a.{os.getpid()}.{'0' * 16}.tmp"
    prepared.symlink_to(run.parent / "outside" / "secret")
    with pytest.raises(RecordError):
        files.write_text(run / "a", "x")


def test_removal_takes_links_and_leaves_what_they_lead_to(run: Path) -> None:
    (run / "real" / "link").symlink_to(run.parent / "outside")
    nofollow.remove_folder(run / "real")
    assert not exists(run / "real")
    nofollow.remove_folder(run / "real")  # once more
