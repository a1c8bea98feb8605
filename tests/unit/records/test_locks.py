"""A folder is kept for one process at a time, and never taken from somebody else."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import locks
from smallvision.records.locks import (
    check_folder,
    check_free,
    claim_folder,
    lock_folder,
    read_owner,
)

MARKER = "status.json"


def test_a_folder_is_locked_once(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with lock_folder(folder):
        for enter in (lambda: lock_folder(folder).__enter__(), lambda: check_free(folder)):
            with pytest.raises(RecordError, match=f"process {os.getpid()} on .* is at work"):
                enter()
    check_free(folder)
    with lock_folder(folder):
        pass


def test_results_are_gone_on_with_only_if_asked(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    for resume in (False, True):
        assert check_folder(folder, MARKER, resume=resume) is False
        assert not folder.exists()
    folder.mkdir()
    assert check_folder(folder, MARKER, resume=False) is False
    (folder / MARKER).write_text("{}")
    with pytest.raises(RecordError, match="--resume"):
        check_folder(folder, MARKER, resume=False)
    assert check_folder(folder, MARKER, resume=True) is True


def test_the_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("")
    for resume in (False, True):
        with pytest.raises(RecordError, match="not empty"):
            check_folder(tmp_path, MARKER, resume=resume)
        with (
            pytest.raises(RecordError, match="not empty"),
            claim_folder(tmp_path, MARKER, resume=resume),
        ):
            pass
    with pytest.raises(RecordError, match="is a file"):
        check_folder(tmp_path / "photo.jpg", MARKER, resume=False)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_what_a_kill_left_does_not_make_a_folder_somebody_else_s(tmp_path: Path) -> None:
    for name in (".lock", f".status.json.999999999.{0:016x}.tmp"):
        (tmp_path / name).write_text("half")
    with claim_folder(tmp_path, MARKER, resume=False):
        pass


def test_a_claim_looks_again_once_it_has_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may have finished a run there in between."""

    def finish_first(folder: Path) -> None:
        (folder / MARKER).write_text("{}")

    monkeypatch.setattr(locks, "sweep", finish_first)
    with (
        pytest.raises(RecordError, match="--resume"),
        claim_folder(tmp_path / "a", MARKER, resume=False),
    ):
        pass


def test_what_killed_writers_left_is_swept(tmp_path: Path) -> None:
    ours, theirs = (
        tmp_path / f".a.json.{os.getpid()}.{0:016x}.tmp",
        tmp_path / f".a.json.999999999.{0:016x}.tmp",
    )
    for path in (ours, theirs):
        path.write_text("half")
    with lock_folder(tmp_path):
        assert ours.exists()
        assert not theirs.exists()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study with a run."""
    (tmp_path / "study" / "runs" / "mlp").mkdir(parents=True)
    (tmp_path / "study" / "study.json").write_text("{}")
    (tmp_path / "study" / "runs" / "mlp" / "status.json").write_text("{}")
    return tmp_path / "study"


@contextmanager
def owned_by_another(folder: Path) -> Iterator[None]:
    """A folder whose lock somebody else holds."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@pytest.mark.parametrize("inside", ["runs/mlp", "runs/mlp/refit", "runs/mlp/seeds/3", "runs/new"])
def test_nobody_trains_inside_a_folder_that_somebody_owns(study: Path, inside: str) -> None:
    folder = study / inside
    with owned_by_another(study):
        with pytest.raises(RecordError, match=r"at work in .*study; wait"):
            check_free(folder)
        with pytest.raises(RecordError, match=r"at work in .*study; wait"), lock_folder(folder):
            pass
    with lock_folder(folder):
        pass


def test_an_owner_of_a_run_keeps_others_out_of_its_study_and_not_out_of_its_runs(
    study: Path,
) -> None:
    with lock_folder(study / "runs" / "mlp"):
        with pytest.raises(BlockingIOError), owned_by_another(study):
            pass
        with lock_folder(study / "runs" / "other"):
            pass
        with pytest.raises(RecordError, match="at work in"), lock_folder(study):
            pass
    with owned_by_another(study):
        pass


def test_an_owner_may_work_inside_its_own_folder(study: Path, tmp_path: Path) -> None:
    alias = tmp_path / "alias"
    alias.symlink_to(study)
    with lock_folder(study), lock_folder(alias / "runs" / "mlp"):
        pass


def test_a_lock_is_no_way_out(study: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (study / ".lock").symlink_to(victim)
    with pytest.raises(RecordError, match=r"\.lock is a link"), lock_folder(study):
        pass
    with pytest.raises(RecordError, match=r"\.lock is a link"), lock_folder(study / "runs" / "mlp"):
        pass
    assert victim.read_text() == "precious"


def test_the_owner_of_a_folder_is_read_without_its_lock(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    assert read_owner(folder) is None
    with lock_folder(folder):
        owner = read_owner(folder)
        assert owner is not None
        assert (owner.process, owner.is_here, owner.is_alive) == (os.getpid(), True, True)
    assert read_owner(folder) is None


@pytest.mark.parametrize(
    ("text", "alive"),
    [
        (f"process {2**31 - 1} on {platform.node()} since 2026-01-01T00:00:00+00:00", False),
        (f"process {2**31 - 1} on elsewhere since 2026-01-01T00:00:00+00:00", True),
        ("process 1e9 on here", None),
        ("\xff", None),
    ],
)
def test_the_text_of_a_lock_may_be_anything(tmp_path: Path, text: str, alive: bool | None) -> None:
    (tmp_path / ".lock").write_text(text, encoding="latin-1")
    owner = read_owner(tmp_path)
    assert (owner.is_alive if owner else None) == alive
