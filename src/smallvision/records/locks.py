"""A folder kept for one process at a time, and never taken from somebody else."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from smallvision.errors import RecordError
from smallvision.records.files import TEMPORARY, explain_write, make_folder, now, read_text
from smallvision.records.nofollow import (
    exists,
    find_records,
    list_folder,
    open_file,
    remove_file,
    walk_files,
)

try:
    import fcntl
except ImportError:  # Windows: two processes in one folder are then not noticed
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"
OWNER = re.compile(r"process (\d{1,10}) on (.*) since (\S+)")  # what `hold` writes

# The lock files that this process holds: what lies inside its folder is its own to train in.
HELD: set[tuple[int, int]] = set()


def check_folder(folder: Path, marker: str, *, resume: bool) -> bool:
    """Check that a folder may be ours: new or empty, or, to resume, one that holds `marker`.

    Returns: whether there is something to resume.

    Raises:
        RecordError: it holds something else, or earlier results and `resume` was not asked for.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the results")
    if exists(folder / marker):
        if not resume:
            raise RecordError(
                f"{folder} already holds results; add --resume to go on with them, "
                "or name another folder with --out"
            )
        return True
    if not all(map(is_passing, list_folder(folder))):
        raise RecordError(f"{folder} is not empty and holds no {marker}; name another folder")
    return False


def is_passing(name: str) -> bool:
    """Whether a file is a lock, or what a kill left of a write: nothing that could be lost."""
    return name == LOCK or TEMPORARY.fullmatch(name) is not None


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make a folder, if need be, and keep other processes out of it; a kill frees it.

    The folders of records that this one lies in are held too, but shared: others may be at work
    beside this folder, and nobody in all of what is around it.

    Raises:
        RecordError: another process is at work there, or around it, or it is not writable.
    """
    make_folder(folder)
    with ExitStack() as locks:
        for around in find_records(folder):
            locks.enter_context(hold_shared(around))
        file = locks.enter_context(hold(folder))
        sweep(folder)
        identity = identify(file)
        HELD.add(identity)
        try:
            yield
        finally:
            HELD.discard(identity)


@contextmanager
def hold(folder: Path) -> Iterator[int]:
    """Hold the lock of a folder alone, whoever holds those around it.

    Yields: a descriptor of the lock file.

    Raises:
        RecordError: another process holds it, or the file cannot be opened.
    """
    path = folder / LOCK
    with explain_write(path):
        file = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        take(file, path, shared=False)
        with explain_write(path):
            os.truncate(file, 0)
            os.write(file, f"process {os.getpid()} on {platform.node()} since {now()}\n".encode())
        try:
            yield file
        finally:
            with suppress(OSError):
                os.truncate(file, 0)
    finally:
        os.close(file)


@contextmanager
def hold_shared(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder together with others, unless this process holds it alone.

    Raises:
        RecordError: another process holds it alone.
    """
    path = folder / LOCK
    try:
        file = open_file(path, os.O_RDONLY | os.O_CREAT)
    except OSError:  # whoever may not read it is no owner of that folder, and asks nobody
        yield
        return
    try:
        if identify(file) not in HELD:
            take(file, path, shared=True)
        yield
    finally:
        os.close(file)


def take(file: int, path: Path, *, shared: bool) -> None:
    """Lock an open lock file, without waiting.

    Raises:
        RecordError: another process holds it.
    """
    if fcntl is not None:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            raise RecordError(describe_owner(path)) from error


def identify(file: int) -> tuple[int, int]:
    """Device and number of an open file, which it has under any name."""
    state = os.fstat(file)
    return state.st_dev, state.st_ino


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
    owner = ""
    with suppress(RecordError):
        owner = read_text(lock, errors="replace").strip()
    return (
        f"{owner or 'another process'} is at work in {lock.parent}; wait for it, or name another "
        "folder"
    )


def check_free(folder: Path) -> None:
    """Leave at once if another process is at work in a folder, or around it; nothing is written.

    Raises:
        RecordError: one is.
    """
    for place in (*find_records(folder), folder):
        if exists(place / LOCK):
            with suppress(OSError):  # whoever may not read it finds out soon
                file = open_file(place / LOCK)
                try:
                    take(file, place / LOCK, shared=place != folder)
                finally:
                    os.close(file)


def is_busy(folder: Path) -> bool:
    """Whether a process is at work in a folder, or around it; yes, where that cannot be asked."""
    try:
        check_free(folder)
    except RecordError:
        return True
    return os.name == "nt"  # where there are no locks


@dataclass(frozen=True)
class LockOwner:
    """Who wrote its name into the lock of a folder, and has not taken it away again.

    Attributes:
        process: its number.
        host: the machine that it runs on.
        since: when it took the lock, as ISO 8601.
    """

    process: int
    host: str
    since: str

    @property
    def is_here(self) -> bool:
        """Whether it ran on this machine, so that it can be asked for."""
        return self.host == platform.node()

    @property
    def is_alive(self) -> bool:
        """Whether it is running; yes, where that cannot be found out."""
        return not self.is_here or is_alive(self.process)


def read_owner(folder: Path) -> LockOwner | None:
    """Who is at work in a folder, by the text of its lock: the lock itself is not touched.

    A process that only looks must not ask for the lock, since whoever wants to work there at that
    moment would be refused.
    """
    try:
        found = OWNER.match(read_text(folder / LOCK, errors="replace"))
    except RecordError:
        return None
    return LockOwner(int(found[1]), found[2], found[3]) if found else None


def sweep(folder: Path) -> None:
    """Remove what killed processes left of writes in a folder that is ours."""
    for path in walk_files(folder):
        unfinished = TEMPORARY.fullmatch(path.name)
        if unfinished and not is_alive(int(unfinished[1])):
            remove_file(path)


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
