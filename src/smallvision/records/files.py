"""Files that are whole or absent: written under a temporary name, synced, then renamed.

Rename alone survives a killed process, not a power cut; syncing the file before and the folder
after survives both.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from smallvision.errors import RecordError
from smallvision.records.fields import check_fields


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn an operating system's refusal into one line that names the file."""
    try:
        yield
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error


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
    with _explained(path):
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


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as indented JSON; NaN and infinity are refused, for JSON has neither."""
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_npz(path: Path, **arrays: np.ndarray[Any, Any]) -> None:
    """Write arrays as a compressed npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_bytes(path, buffer.getvalue())


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Append one JSON line and sync it.

    Raises:
        RecordError: the file cannot be written.
    """
    line = json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n"
    with _explained(path), path.open("a+b") as file:
        cut_torn_line(file)
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def cut_torn_line(file: BinaryIO) -> None:
    """Drop what a kill left after the last whole line; appending to it would spoil both lines."""
    file.seek(0)
    content = file.read()
    file.truncate(content.rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def read_json(path: Path) -> dict[str, Any]:
    """Read one JSON record.

    Raises:
        RecordError: the file is missing, unreadable, or lacks what its name promises.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing; is {path.parent} the right folder?") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} is damaged ({error}); restore it") from error
    return check_fields(record, path)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines; a last line that a kill tore in half is left out.

    Raises:
        RecordError: the file is missing, or a line other than the last is damaged.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError as error:
        raise RecordError(f"{path} is missing; is {path.parent} the right folder?") from error
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
    records = []
    # Each whole line ends in a newline, so what follows the last newline is empty or torn.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            records.append(check_fields(json.loads(line), path))
        except ValueError as error:
            raise RecordError(f"{path}, line {number}, is damaged ({error})") from error
    return records


def read_npz(path: Path, *names: str) -> list[np.ndarray[Any, Any]]:
    """Read the named arrays.

    Raises:
        RecordError: the file or an array is missing, or it is damaged.
    """
    try:
        # From memory: numpy leaves a damaged file open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            return [arrays[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content, as `sha256:…`."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
