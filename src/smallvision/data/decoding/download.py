"""Download a file: resumed where it was cut, checked against its MD5, whole or absent."""

from __future__ import annotations

import errno
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from smallvision.errors import DataError

try:
    import fcntl
except ImportError:  # Windows: two downloads of one file at once spoil each other
    fcntl = None  # type: ignore[assignment]

ATTEMPTS = 5
TIMEOUT_SECONDS = 30.0
_CHUNK = 1 << 16

Report: TypeAlias = Callable[[int, int], None]  # bytes so far, bytes in all


def download(url: str, md5: str, folder: Path, *, wait_seconds: float = 1.0) -> Path:
    """Fetch a file into a folder, or return the copy that is already there and intact.

    What arrives is kept in `NAME.part`, so that a cut connection, now or in an earlier run, costs
    only the rest. Progress goes to stderr.

    Args:
        url: its last part names the file.
        md5: expected checksum, in hex.
        folder: is created when missing.
        wait_seconds: pause before the second attempt; doubled before each further one.

    Raises:
        DataError: no network, the server refuses, or the checksum is wrong.
    """
    name = url.rpartition("/")[2]

    def fetch(url: str, output: str, _: Any) -> None:
        part = folder / f"{name}.part"
        with _show_progress(name) as report:
            _fetch_all(url, part, report, wait_seconds)
        part.replace(output)

    pooch.get_logger().setLevel("WARNING")  # the progress bar says it already
    try:
        if (folder / name).exists() and pooch.file_hash(folder / name, alg="md5") == md5:
            return folder / name
        with _keep_others_out(folder, name):  # the next one finds the file
            whole = f"md5:{md5}"
            return Path(pooch.retrieve(url, whole, fname=name, path=folder, downloader=fetch))
    except ValueError as error:
        raise DataError(f"{url} arrived with a wrong MD5 checksum; try again later") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url} cannot be downloaded ({reason})") from error


@contextmanager
def _keep_others_out(folder: Path, name: str) -> Iterator[None]:
    """Wait until no other process downloads the same file; the lock's file stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("a") as file:
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch_all(url: str, part: Path, report: Report, wait_seconds: float) -> None:
    """Try until the file is complete; an attempt that brings bytes sets the count back."""
    began = _size(part)
    failures = 0
    while True:
        before = _size(part)
        try:
            return _fetch_rest(url, part, report)
        except (OSError, http.client.HTTPException) as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures == ATTEMPTS or _is_final(error, anything_came=_size(part) > began):
                raise
        time.sleep(wait_seconds * 2 ** (failures - 1))


def _is_final(error: Exception, *, anything_came: bool) -> bool:
    """Whether trying again is pointless: the server said no, there is no way to it, no space."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code < 500
    if isinstance(error, urllib.error.URLError):
        return not anything_came
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS, errno.EACCES)


def _fetch_rest(url: str, part: Path, report: Report) -> None:
    """Append what is missing; start over when the server cannot resume."""
    start = _size(part)
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  an https constant of ours
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{start}":
            return  # all of it is there; a kill came between the last byte and the renaming
        part.unlink()
        raise ConnectionError("the partial file was of another version") from error
    with response:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        total = start + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if start else "wb") as file:
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                report(file.tell(), total)
    if _size(part) < total:
        raise ConnectionError(f"the connection was cut after {_size(part):,} of {total:,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


@contextmanager
def _show_progress(name: str) -> Iterator[Report]:
    """Draw a bar on stderr, or a single line where stderr is no terminal."""
    console = Console(stderr=True)
    columns = ("[progress.description]{task.description}", BarColumn())
    progress = Progress(
        *columns,
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    if not console.is_terminal:
        console.print(f"Downloading {name} ...", soft_wrap=True)
    with progress:
        task = progress.add_task(f"Downloading {name}", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)
