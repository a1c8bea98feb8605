"""Files that are whole or absent: written under a temporary name, synced, then renamed.

Rename alone survives a killed process, not a power cut; syncing the file before and the folder
after survives both. `records.nofollow` reaches and opens them.
"""

from __future__ import annotations

import errno
import hashlib
import io
import lzma
import os
import re
import secrets
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from smallvision.errors import RecordError
from smallvision.records import nofollow

try:
    import fcntl
except ImportError:  # Windows: two processes that append to one file at once are not kept apart
    fcntl = None  # type: ignore[assignment]

REMEDIES = {
    errno.ENOSPC: "; make room on that disk and go on with --resume",
    errno.EDQUOT: "; make room within your quota and go on with --resume",
    errno.EFBIG: "; files of that size are not allowed here (ulimit -f)",
}
# What comes of reading arrays from a file of which any bit may have flipped.
DAMAGES = (
    ArithmeticError,  # of sizes beyond all numbers
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # of zip files: encrypted, or packed in a way that is not known
    SyntaxError,  # of headers of arrays, as the next
    tokenize.TokenError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
# The name of a file that is being written: its writer's process, and what nobody can guess.
TEMPORARY = re.compile(r"\..+\.(\d+)\.[0-9a-f]{16}\.tmp", re.DOTALL)
# What claims more bytes than this, and so many times what it takes on the disk, is no data but a
# bomb: zeros grow a thousandfold when they are unpacked, pictures and probabilities threefold.
BOMB_BYTES, BOMB_RATIO = 100_000_000, 200
MAX_TEXT_BYTES = 16_000_000  # of a text file of records; the largest we write have a few million
MAX_ARRAY_BYTES = 256_000_000  # of a file of arrays, packed or not
MAX_WEIGHTS_BYTES = 16_000_000_000  # of a file of tensors


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def explain_write(path: Path, size: int | None = None) -> Iterator[None]:
    """Turn an operating system's refusal into one line: which file, how large, what to do."""
    try:
        yield
    except OSError as error:
        what = f"{path} ({size:,} bytes)" if size is not None else f"{path}"
        remedy = REMEDIES.get(error.errno or 0, "")
        raise RecordError(f"cannot write {what}: {error.strerror or error}{remedy}") from error


def make_folder(path: Path) -> Path:
    """Create a folder and its parents, durably.

    Raises:
        RecordError: the place is not writable, or is a file.
    """
    with explain_write(path):
        if nofollow.make_folders(path):
            sync_folder(path.parent)
    return path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        RecordError: the file cannot be written; what was there before is untouched.
    """
    with open_new(path, len(content)) as file:
        file.write(content)


@contextmanager
def open_new(path: Path, size: int, *, synced: bool = True) -> Iterator[io.BufferedWriter]:
    """Open a file that takes the place of another once it is written to its end.

    Args:
        path: of the file.
        size: bytes that it will have, for the error.
        synced: whether it shall survive a power cut.

    Raises:
        RecordError: the file cannot be written; what was there before is untouched.
    """
    if nofollow.is_folder(path):
        raise RecordError(f"{path} is no regular file; name a file to write")
    # Nobody can guess the name, and what has it already is never written to.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}.tmp")
    with explain_write(path, size):
        try:
            descriptor = nofollow.open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if synced:
                    os.fsync(file.fileno())
            nofollow.replace_file(path, temporary.name)
        finally:
            nofollow.remove_file(temporary)
        if synced:
            sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make a rename inside the folder durable, on systems that open folders."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    write_bytes(path, text.encode())


def write_npz(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    """Write arrays as a compressed npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def append_text(path: Path, write_line: Callable[[int], str]) -> int:
    """Append one line and sync it; processes that append to one file take turns.

    Args:
        path: of the file, which is made if missing.
        write_line: from the number of the line, counted from 1, to the line.

    Returns: the number of the line.

    Raises:
        RecordError: the file cannot be written.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
    with (
        explain_write(path, len(write_line(1))),
        os.fdopen(nofollow.open_file(path, flags), "a+b") as file,
    ):
        check_held(file.fileno(), path)
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        number = 1 + cut_torn_line(file)
        file.write(write_line(number).encode())
        file.flush()
        os.fsync(file.fileno())
    return number


def cut_torn_line(file: BinaryIO) -> int:
    """Drop what a kill left after the last whole line; appending to it would spoil both lines.

    Returns: the number of whole lines.
    """
    file.seek(0)
    content = file.read()
    file.truncate(content.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)
    return content.count(b"\n")


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file to read, as `nofollow.open_file` does.

    Raises:
        RecordError: it is missing, unreadable, no regular file, reached through a link, or a hole.
    """
    try:
        file = os.fdopen(nofollow.open_file(path), "rb")
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing; is {path.parent} the right folder?") from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        check_held(file.fileno(), path)
    except RecordError:
        file.close()
        raise
    return file


def check_held(descriptor: int, path: Path) -> None:
    """Refuse an open file that claims far more bytes than it takes on the disk.

    Raises:
        RecordError: it does.
    """
    state = os.fstat(descriptor)
    held = 512 * getattr(state, "st_blocks", state.st_size)
    if state.st_size > max(BOMB_BYTES, BOMB_RATIO * held):
        raise RecordError(
            f"{path} claims {state.st_size:,} bytes and holds {held:,}; no file of ours is so empty"
        )


def read_bytes(path: Path, most: int = MAX_TEXT_BYTES) -> bytes:
    """Read a file of at most so many bytes.

    Raises:
        RecordError: as for `open_bytes`, or it is larger.
    """
    with open_bytes(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise RecordError(f"{path} has {size:,} bytes; expected at most {most:,}")
        try:
            return file.read(size)
        except OSError as error:
            raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error


def read_text(path: Path, errors: str = "strict") -> str:
    """Read a text file of records in UTF-8; `errors` as for `bytes.decode`.

    Raises:
        RecordError: as for `read_bytes`.
        ValueError: it is not UTF-8.
    """
    return read_bytes(path).decode(errors=errors)


def read_npz(path: Path, *names: str) -> list[np.ndarray[Any, Any]]:
    """Read the named arrays.

    Raises:
        RecordError: the file or an array is missing, or it is damaged.
    """
    content = io.BytesIO(read_bytes(path, MAX_ARRAY_BYTES))
    try:
        check_unpacked(content)
        with np.load(content, allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except DAMAGES as error:
        raise RecordError(f"{path} cannot be read: {error}") from error


def copy_folder(source: Path, target: Path, leave: Callable[[Path], bool]) -> None:
    """Copy a folder of records, whose links are refused and not followed.

    Args:
        source: the folder.
        target: made if missing.
        leave: which files and folders are left out.

    Raises:
        RecordError: it holds a link or a special file, or something cannot be read or written.
    """
    make_folder(target)
    for name in nofollow.list_folder(source):
        path = source / name
        if leave(path):
            continue
        if nofollow.is_folder(path):
            copy_folder(path, target / name, leave)
        else:
            write_bytes(target / name, read_bytes(path, MAX_WEIGHTS_BYTES))


def check_unpacked(file: BinaryIO) -> None:
    """Refuse a zip file that is small on disk and huge in memory.

    Raises:
        ValueError: a member claims to grow as no measured data do, or all claim too much.
        OSError, zipfile.BadZipFile: it cannot be read.
    """
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.file_size > max(BOMB_BYTES, BOMB_RATIO * member.compress_size):
                raise ValueError(f"{member.filename} unpacks to {member.file_size:,} bytes")
        if (size := sum(member.file_size for member in archive.infolist())) > MAX_ARRAY_BYTES:
            raise ValueError(f"its arrays unpack to {size:,} bytes")


def hash_bytes(content: bytes) -> str:
    """SHA-256 of content, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as `sha256:…`.

    Raises:
        RecordError: as for `open_bytes`.
    """
    with open_bytes(path) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
