"""A folder kept for one process at a time, and never taken from somebody else."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records.files import make_folder, now

try:
    import fcntl
except ImportError:  # Windows: two processes in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


def check_folder(folder: Path, marker: str, *, resume: bool) -> bool:
    """Check that a folder may be ours: new or empty, or, to resume, one that holds `marker`.

    Returns: whether there is something to resume.

    Raises:
        RecordError: it holds something else, or earlier results and `resume` was not asked for.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the results")
    if (folder / marker).exists():
        if not resume:
            raise RecordError(
                f"{folder} already holds results; add --resume to go on with them, "
                "or name another folder with --out"
            )
        return True
    if folder.exists() and any(not is_passing(path) for path in folder.iterdir()):
        raise RecordError(f"{folder} is not empty and holds no {marker}; name another folder")
    return False


def is_passing(path: Path) -> bool:
    """Whether a file is a lock, or what a kill left of a write: nothing that could be lost."""
    return path.name == LOCK or (path.name.startswith(".") and path.name.endswith(".tmp"))


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make a folder, if need be, and keep other processes out of it; a kill frees it.

    Raises:
        RecordError: another process is at work there, or it is not writable.
    """
    path = make_folder(folder) / LOCK
    try:
        file = path.open("a")
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RecordError(describe_owner(path)) from error
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()} since {now()}\n")
        file.flush()
        sweep(folder)
        yield
        file.truncate(0)


@contextmanager
def claim_folder(folder: Path, marker: str, *, resume: bool) -> Iterator[None]:
    """Make a folder ours, if it may be ours, and keep other processes out of it.

    Raises:
        RecordError: as for `check_folder`, which leaves no folder behind, and for `lock_folder`.
    """
    check_folder(folder, marker, resume=resume)  # before the lock, which makes the folder
    with lock_folder(folder):
        check_folder(folder, marker, resume=resume)  # and after it: now nobody else can write
        yield


def describe_owner(lock: Path) -> str:
    """Who holds a lock, as far as its file tells."""
    try:
        owner = lock.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        owner = ""
    return (
        f"{owner or 'another process'} is at work in {lock.parent}; wait for it, or name another "
        "folder"
    )


def check_free(folder: Path) -> None:
    """Leave at once if another process is at work in a folder; nothing is written.

    Raises:
        RecordError: one is.
    """
    path = folder / LOCK
    if fcntl is None or not path.is_file():
        return
    with suppress(PermissionError), path.open("a") as file:  # whoever may not write finds out soon
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RecordError(describe_owner(path)) from error


def sweep(folder: Path) -> None:
    """Remove what killed processes left of writes in a folder that is ours."""
    for path in folder.rglob(".*.tmp"):
        writer = path.name.removesuffix(".tmp").rpartition(".")[2]
        if writer.isdecimal() and not is_alive(int(writer)):
            path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this machine is running; yes, where that cannot be asked harmlessly."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
