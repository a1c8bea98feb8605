"""A folder that is there with all its files, or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records.files import TEMPORARY, explain_write, make_folder, sync_folder
from smallvision.records.locks import is_alive
from smallvision.records.nofollow import list_folder, remove_folder, replace_file

STEM = ".export"  # of the folders that are being filled


@contextmanager
def stage(folder: Path) -> Iterator[Path]:
    """Fill a folder beside its place, to which it moves once nothing can go wrong any more.

    Args:
        folder: where it will be; it does not exist, or is empty.

    Yields: the folder to fill, which is removed if an exception leaves the context.

    Raises:
        RecordError: the place is taken, or cannot be written.
    """
    check_place(folder)
    parent = make_folder(folder.parent)
    sweep_stages(parent)
    temporary = parent / f"{STEM}.{os.getpid()}.{secrets.token_hex(8)}.tmp"
    try:
        yield make_folder(temporary)
        with explain_write(folder):
            replace_file(folder, temporary.name)
            sync_folder(parent)
    finally:
        remove_folder(temporary)


def check_place(folder: Path) -> None:
    """Check that an export may be written to a folder.

    Raises:
        RecordError: it is a file or a link, or holds anything.
    """
    if folder.is_symlink():
        raise RecordError(f"{folder} is a link; name the folder that it leads to with --out")
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the export with --out")
    if list_folder(folder):
        raise RecordError(f"{folder} is not empty; name another folder with --out")


def sweep_stages(parent: Path) -> None:
    """Remove what exports left here that were killed."""
    for name in list_folder(parent):
        unfinished = TEMPORARY.fullmatch(name)
        if unfinished and name.startswith(STEM) and not is_alive(int(unfinished[1])):
            remove_folder(parent / name)
