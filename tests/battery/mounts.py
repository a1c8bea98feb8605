"""Small file systems of their own, for disks that are really full or read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def why_not() -> str:
    """Why nothing can be mounted here; empty where it can."""
    try:
        with TemporaryDirectory() as place, mount(Path(place), kilobytes=64):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        return f"no file system can be mounted ({' '.join(said.split())})"


@contextmanager
def mount(place: Path, *, kilobytes: int = 8192, inodes: int = 2048) -> Iterator[Path]:
    """A tmpfs of so much room at a folder, taken away at the end whatever happened."""
    _call("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,nr_inodes={inodes}", "battery", place)
    try:
        yield place
    finally:
        _call("umount", "--lazy", place)


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Let a folder be read-only, though a process may have files of it open to write.

    A file system with such files is not remounted; a read-only view of it laid over it is what
    every path that is opened from now on leads to.
    """
    _call("mount", "--bind", place, place)
    try:
        _call("mount", "-o", "remount,bind,ro", place)
        yield
    finally:
        _call("umount", "--lazy", place)


def fill(place: Path, *, spare_bytes: int | None, spare_inodes: int | None) -> Path:
    """Fill a mounted file system but for some room; removing the folder returned frees it."""
    stuff = place / "filler"
    stuff.mkdir()
    state = os.statvfs(place)
    if spare_bytes is not None:
        size = state.f_bavail * state.f_frsize - spare_bytes
        with (stuff / "bytes").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, size))
    if spare_inodes is not None:
        for number in range(os.statvfs(place).f_favail - spare_inodes):
            (stuff / str(number)).touch()
    return stuff


def _call(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
