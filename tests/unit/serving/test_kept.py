"""Pictures that are kept with their right class: where, how many, and never over another."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.data.loading.load import load_data
from smallvision.errors import RecordError
from smallvision.serving import kept as module
from smallvision.serving.kept import MOST_FOLDER_BYTES, KeptPictures, name_folder
from smallvision.shapes import MAX_NAME
from tests.support.served import make_picture

ORDINARY = (
    "cat",
    "great white shark",
    "n01440764",
    "Mac & Cheese",
    "tree (dead)",
    "été 100%",
    "犬",
)


def list_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


def test_ordinary_names_of_classes_come_back_when_the_folder_is_read(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path / "kept")
    for seed in range(10):
        for name in ORDINARY:
            kept.add(name, make_picture(seed))
    assert set(load_data(tmp_path / "kept").train.class_names) == set(ORDINARY)


@given(st.text(min_size=1, max_size=MAX_NAME))
def test_any_name_becomes_one_folder_that_tells_it(name: str) -> None:
    folder = name_folder(name)
    assert 1 <= len(folder.encode()) <= MOST_FOLDER_BYTES
    assert not set(folder) & set('/\\\0:*?"<>|\r\n\u202e')
    assert not folder.startswith((".", " "))
    assert not folder.endswith((".", " "))
    if "~" not in folder:
        assert unquote(folder) == name


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("..", "%2E%2E"),
        ("../../etc", "%2E.%2F..%2Fetc"),
        ("/etc/passwd", "%2Fetc%2Fpasswd"),
        (".hidden", "%2Ehidden"),
        ("a\x00b\x1b", "a%00b%1B"),
        ("a\u202eb", "a%E2%80%AEb"),
        ("C:\\x", "C%3A%5Cx"),
        ("50%25", "50%2525"),
        ("👩‍🔬", "👩‍🔬"),
    ],
)
def test_names_that_would_lead_elsewhere(name: str, folder: str) -> None:
    assert name_folder(name) == folder


def test_long_names_that_begin_alike_have_folders_of_their_own() -> None:
    assert name_folder("é" * 254 + "a") != name_folder("é" * 254 + "b")


def test_pictures_are_numbered_and_have_the_suffix_of_their_format(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path)
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "041.webp").write_bytes(b"mine")
    (tmp_path / "cat" / "notes.txt").write_bytes(b"mine")
    assert kept.add("cat", make_picture(1)) == "cat/042.png"
    assert kept.add("cat", make_picture(1, "JPEG")) == "cat/043.jpg"
    assert kept.add("a/b", make_picture(1, "WEBP")) == "a%2Fb/001.webp"
    assert (tmp_path / "cat/042.png").read_bytes() == make_picture(1)
    assert (tmp_path / "cat/041.webp").read_bytes() == b"mine"


def test_a_number_that_another_server_takes_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptPictures(tmp_path)
    kept.add("cat", make_picture(1))
    # The folder as it was listed just before the other wrote.
    monkeypatch.setattr(module, "find_next", lambda names: 1)
    assert kept.add("cat", make_picture(2)) == "cat/002.png"
    assert (tmp_path / "cat/001.png").read_bytes() == make_picture(1)


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    servers = [KeptPictures(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda i: servers[i % 4].add("cat", make_picture(i)), range(40)))
    assert len(set(places)) == 40
    contents = {(tmp_path / place).read_bytes() for place in places}
    assert contents == {make_picture(i) for i in range(40)}
    assert len(list_files(tmp_path)) == 40


@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_what_is_no_folder_is_not_followed(tmp_path: Path, kind: str) -> None:
    root, elsewhere = tmp_path / "kept", tmp_path / "elsewhere"
    elsewhere.mkdir()
    kept = KeptPictures(root)
    if kind == "link":
        (root / "cat").symlink_to(elsewhere)
    elif kind == "file":
        (root / "cat").write_bytes(b"mine")
    else:
        os.mkfifo(root / "cat")
    with pytest.raises(RecordError) as caught:
        kept.add("cat", make_picture(1))
    assert str(tmp_path) not in str(caught.value)
    assert str(caught.value).startswith("cat")
    assert not list_files(elsewhere)


def test_a_dangling_link_in_the_place_of_a_picture_stays(tmp_path: Path) -> None:
    kept = KeptPictures(tmp_path / "kept")
    (tmp_path / "kept/cat").mkdir()
    (tmp_path / "kept/cat/001.png").symlink_to(tmp_path / "target.png")
    assert kept.add("cat", make_picture(1)) == "cat/002.png"
    assert not (tmp_path / "target.png").exists()


def test_the_folder_that_a_person_names_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "kept").symlink_to(tmp_path / "real")
    KeptPictures(tmp_path / "kept").add("cat", make_picture(1))
    assert list_files(tmp_path / "real") == ["cat/001.png"]


@pytest.mark.parametrize(("name", "most"), [("MOST_KEPT", 3), ("MOST_KEPT_BYTES", 1)])
def test_there_is_an_end_to_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    kept = KeptPictures(tmp_path)
    for class_name in ("cat", "dog", "cat"):
        kept.add(class_name, make_picture(1))
    monkeypatch.setattr(module, name, most)
    with pytest.raises(RecordError, match="move some elsewhere"):
        kept.add("bird", make_picture(1))
    assert len(list_files(tmp_path)) == 3


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    kept = KeptPictures(tmp_path)
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RecordError, match=r"^cat/ cannot take a picture \(No space left"):
        kept.add("cat", make_picture(1))
    assert list_files(tmp_path) == []


def test_a_folder_of_records_keeps_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "run" / "model").mkdir(parents=True)
    (tmp_path / "run" / "status.json").touch()
    for place in (tmp_path / "run", tmp_path / "run" / "kept"):
        with pytest.raises(RecordError, match="which holds records"):
            KeptPictures(place)
    assert list_files(tmp_path) == ["run/status.json"]


def test_a_file_is_no_folder_of_pictures(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"")
    with pytest.raises(RecordError, match="name another with --keep"):
        KeptPictures(tmp_path / "kept")
