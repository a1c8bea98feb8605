"""Only regular files are opened, whatever lies under a name, and none is waited for."""

from __future__ import annotations

import os

import pytest

from smallvision.data.decoding import regular
from smallvision.data.decoding.regular import open_regular, read_regular, walk_entries
from smallvision.records import nofollow


def test_a_file_is_read_to_its_limit(tmp_path, refuses):
    path = tmp_path / "it"
    path.write_bytes(bytes(10))
    assert read_regular(path, "it", most=10) == bytes(10)
    with refuses("it has 10 bytes; expected at most 9"):
        read_regular(path, "it", most=9)


def test_a_link_is_followed_only_where_it_may_be(tmp_path, refuses):
    (tmp_path / "it").write_bytes(b"abc")
    link = tmp_path / "link"
    link.symlink_to("it")
    assert read_regular(link, "link", most=3) == b"abc"
    with refuses("link is a link, and what lies here"):
        read_regular(link, "link", most=3, follow=False)


def test_a_link_that_comes_after_the_look_is_not_followed(tmp_path, refuses, monkeypatch):
    (tmp_path / "it").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("it")
    monkeypatch.setattr(nofollow, "check_regular", lambda *_: None)
    with refuses("link is a link"):
        open_regular(tmp_path / "link", "link", follow=False)


@pytest.mark.parametrize("follow", [True, False])
def test_what_never_ends_is_refused_at_once(follow, tmp_path, refuses):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with refuses("it is no regular file"):
            open_regular(path, "it", follow=follow)
    (tmp_path / "link").symlink_to("/dev/zero")
    with refuses("it is no regular file" if follow else "it is a link"):
        open_regular(tmp_path / "link", "it", follow=follow)


def test_a_pipe_that_comes_after_the_look_is_not_waited_for(tmp_path, refuses, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    looks = []

    def look(state, name):
        looks.append(name)
        if len(looks) == 2:
            check(state, name)

    check = nofollow.check_regular
    monkeypatch.setattr(nofollow, "check_regular", look)
    with refuses("it is no regular file"):
        open_regular(tmp_path / "pipe", "it")


def test_a_walk_leaves_out_what_is_hidden_and_links_to_folders(tmp_path):
    for name in ("a/b/x", "a/.hidden", ".git/x", "y"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "a" / "circle").symlink_to(tmp_path)
    (tmp_path / "z").symlink_to("y")
    (tmp_path / "self").symlink_to("self")
    assert sorted(entry.name for entry in walk_entries(tmp_path)) == ["self", "x", "y", "z"]


def test_a_walk_ends(tmp_path, refuses, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").write_bytes(b"")
    monkeypatch.setattr(regular, "MAX_DEPTH", 2)
    assert len(list(walk_entries(tmp_path))) == 1
    monkeypatch.setattr(regular, "MAX_DEPTH", 1)
    with refuses("folders more than 1 deep"):
        list(walk_entries(tmp_path))
    monkeypatch.setattr(regular, "MAX_DEPTH", 2)
    monkeypatch.setattr(regular, "MAX_ENTRIES", 2)
    with refuses("holds more than 2 files"):
        list(walk_entries(tmp_path))


def test_an_unreadable_folder_is_named(tmp_path, refuses):
    with refuses(f"{tmp_path / 'gone'} cannot be read"):
        list(walk_entries(tmp_path / "gone"))
