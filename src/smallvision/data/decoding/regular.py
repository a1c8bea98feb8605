"""Regular files of data: opened without waiting, and no larger than they may be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from smallvision.errors import DataError, RecordError
from smallvision.records.nofollow import open_file, open_named

# More entries than any data set has; their names alone take half a gigabyte.
MAX_ENTRIES, MAX_DEPTH = 2_000_000, 32


def open_regular(
    path: str | Path, name: str, *, most: int | None = None, follow: bool = True
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
    return os.fdopen(_open_descriptor(path, name, most, follow)[0], "rb")


def read_regular(path: str | Path, name: str, *, most: int, follow: bool = True) -> bytes:
    """The bytes of a regular file; see `open_regular`."""
    descriptor, size = _open_descriptor(path, name, most, follow)
    try:
        # Without a buffer, which takes as long as reading a small picture. Files of the system
        # claim no bytes and have some.
        left = size or most
        content = os.read(descriptor, left)
        while len(content) < left and (more := os.read(descriptor, left - len(content))):
            content += more
    except OSError as error:
        raise DataError(f"{name} cannot be read ({error.strerror}); replace it") from error
    finally:
        os.close(descriptor)
    return content


def _open_descriptor(
    path: str | Path, name: str, most: int | None, follow: bool
) -> tuple[int, int]:
    """The descriptor of a file, and its size in bytes."""
    try:
        if follow:
            descriptor, state = open_named(path)
        else:
            descriptor = open_file(Path(path))
            state = os.fstat(descriptor)
    except RecordError as error:
        raise DataError(str(error).replace(str(path), name, 1)) from error
    except OSError as error:
        raise DataError(
            f"{name} cannot be read ({error.strerror}); replace or remove it"
        ) from error
    size = state.st_size
    if most is not None and size > most:
        os.close(descriptor)
        raise DataError(f"{name} has {size:,} bytes; expected at most {most:,}")
    return descriptor, size


def walk_entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file, or link to one, in a folder at any depth; hidden entries are left out.

    Links to folders are not followed, as they may form a cycle.

    Raises:
        DataError: a folder cannot be read, or there are more or deeper entries than any data set
            has.
    """
    waiting, scan = [(str(folder), 0)], FolderScan(str(folder))
    while waiting:
        place, depth = waiting.pop()
        for entry in scan.list_entries(place, depth):
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, depth + 1))
            elif not leads_to_folder(entry):
                yield entry


class FolderScan:
    """Reads the folders of one tree, within bounds.

    Args:
        called: what to call the tree in an error.
    """

    def __init__(self, called: str) -> None:
        self._called, self._left = called, MAX_ENTRIES

    def ends_at(self, depth: int) -> bool:
        """Whether a folder that lies in so many others may hold no folder."""
        return depth >= MAX_DEPTH

    def list_entries(self, place: str | Path, depth: int) -> list[os.DirEntry[str]]:
        """What lies in a folder, sorted by name.

        Args:
            place: the folder.
            depth: how many folders of the tree it lies in.

        Raises:
            DataError: it cannot be read, or there are more or deeper entries than any data set has.
        """
        if depth > MAX_DEPTH:
            raise DataError(f"{self._called} holds folders more than {MAX_DEPTH} deep; flatten it")
        try:
            with os.scandir(place) as entries:
                found = [*islice(entries, self._left + 1)]
        except OSError as error:
            raise DataError(f"{place} cannot be read ({error.strerror})") from error
        self._left -= len(found)
        if self._left < 0:
            raise DataError(f"{self._called} holds more than {MAX_ENTRIES:,} files")
        return sorted(found, key=lambda entry: entry.name)


def leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a link to a folder."""
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link to itself, which is reported when it is read
        return False
