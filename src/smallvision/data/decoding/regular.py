"""Regular files of data: opened without waiting, and no larger than they may be."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from smallvision.errors import DataError

# Pipes and devices are opened without waiting, looked at, and closed.
FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
FLAGS |= getattr(os, "O_BINARY", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# More entries than any data set has; their names alone take half a gigabyte.
MAX_ENTRIES, MAX_DEPTH = 2_000_000, 32


def open_regular(
    path: Path, name: str, *, most: int | None = None, follow: bool = True
) -> BinaryIO:
    """Open a regular file to read.

    Args:
        path: of the file.
        name: what to call it in an error.
        most: bytes it may have, or None for any number.
        follow: whether it may be a link.

    Raises:
        DataError: it is missing, unreadable, no regular file, or too large.
    """
    try:
        # Looked at before it is opened, because some devices act when they are.
        _check_regular(path.stat() if follow else path.lstat(), name)
        descriptor = os.open(path, FLAGS if follow else FLAGS | NO_FOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DataError(f"{name} is a link; put the file itself in its place") from error
        raise DataError(
            f"{name} cannot be read ({error.strerror}); replace or remove it"
        ) from error
    file = os.fdopen(descriptor, "rb")
    try:
        state = os.fstat(descriptor)
        _check_regular(state, name)
        if most is not None and state.st_size > most:
            raise DataError(f"{name} has {state.st_size:,} bytes; expected at most {most:,}")
    except BaseException:
        file.close()
        raise
    return file


def read_regular(path: Path, name: str, *, most: int, follow: bool = True) -> bytes:
    """The bytes of a regular file; see `open_regular`."""
    with open_regular(path, name, most=most, follow=follow) as file:
        try:
            return file.read(most)
        except OSError as error:
            raise DataError(f"{name} cannot be read ({error.strerror}); replace it") from error


def _check_regular(state: os.stat_result, name: str) -> None:
    if stat.S_ISLNK(state.st_mode):
        raise DataError(f"{name} is a link; put the file itself in its place")
    if not stat.S_ISREG(state.st_mode):
        raise DataError(f"{name} is no regular file; replace or remove it")


def walk_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file, or link to one, in a folder at any depth; hidden entries are left out.

    Links to folders are not followed, as they may form a cycle.

    Raises:
        DataError: a folder cannot be read, or there are more or deeper entries than any data set
            has.
    """
    waiting, seen = [(str(folder), 0)], 0
    while waiting:
        place, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise DataError(f"{folder} holds folders more than {MAX_DEPTH} deep; flatten it")
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    seen += 1
                    if seen > MAX_ENTRIES:
                        raise DataError(f"{folder} holds more than {MAX_ENTRIES:,} files")
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((entry.path, depth + 1))
                    elif not _leads_to_folder(entry):
                        yield entry
        except OSError as error:
            raise DataError(f"{place} cannot be read ({error.strerror})") from error


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link to itself, which is reported when it is read
        return False
