"""Files that are whole or absent: written under a temporary name, synced, then renamed.

Rename alone survives a killed process, not a power cut; syncing the file before and the folder
after survives both.
"""

from __future__ import annotations

import errno
import hashlib
import io
import lzma
import os
import stat
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

try:
    import fcntl
except ImportError:  # Windows: two processes that append to one file at once are not kept apart
    fcntl = None  # type: ignore[assignment]

REMEDIES = {
    errno.ENOSPC: "; make room on that disk and go on with --resume",
    errno.EDQUOT: "; make room within your quota and go on with --resume",
    errno.EFBIG: "; files of that size are not allowed here (ulimit -f)",
}
# What unpacks to more bytes than this, and to so many times its size, is no data but a bomb: zeros
# grow a thousandfold, pictures and probabilities threefold.
BOMB_BYTES, BOMB_RATIO = 100_000_000, 200
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
MAX_RECORD_BYTES = 256_000_000  # of a file of records; the largest we write have a few million


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _explained(path: Path, size: int | None = None) -> Iterator[None]:
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
    with _explained(path):
        if not path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            sync_folder(path.parent)
    return path


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        RecordError: the file cannot be written; what was there before is untouched.
    """
    if path.exists() and not path.is_file():
        raise RecordError(f"{path} is no regular file; name a file to write")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _explained(path, len(content)):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
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
    with _explained(path, len(write_line(1))), path.open("a+b") as file:
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


def read_small(path: Path, errors: str = "strict") -> str:
    """Read a text file that nobody makes large; `errors` as for `open`.

    Raises:
        RecordError: it is missing, no regular file, unreadable or too large.
        ValueError: it is not UTF-8.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # reading a pipe would wait for ever
            raise RecordError(f"{path} is no regular file")
        if state.st_size > MAX_RECORD_BYTES:
            raise RecordError(
                f"{path} has {state.st_size:,} bytes; expected at most {MAX_RECORD_BYTES:,}"
            )
        return path.read_text(encoding="utf-8", errors=errors)
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing; is {path.parent} the right folder?") from error
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error


def read_npz(path: Path, *names: str) -> list[np.ndarray[Any, Any]]:
    """Read the named arrays.

    Raises:
        RecordError: the file or an array is missing, or it is damaged.
    """
    try:
        check_unpacked(path)
        # From memory: numpy leaves a damaged file open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except DAMAGES as error:
        raise RecordError(f"{path} cannot be read: {error}") from error


def check_unpacked(path: Path) -> None:
    """Refuse a zip file that is small on disk and huge in memory.

    Raises:
        ValueError: a member claims to grow as no measured data do.
        OSError, zipfile.BadZipFile: it cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > max(BOMB_BYTES, BOMB_RATIO * member.compress_size):
                raise ValueError(f"{member.filename} unpacks to {member.file_size:,} bytes")


def hash_bytes(content: bytes) -> str:
    """SHA-256 of content, as `sha256:…`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as `sha256:…`."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
