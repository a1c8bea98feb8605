"""Download a file, check its MD5, and keep it whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TransferSpeedColumn

from smallvision.errors import DataError

RETRIES = 2  # after 1 and 2 seconds
TIMEOUT_SECONDS = 30.0


class ProgressBar:
    """A progress bar with the attributes that pooch uses."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._total = 0

    @property
    def total(self) -> int:
        """Bytes to come; pooch sets it whenever the server has answered, so the bar restarts."""
        return self._total

    @total.setter
    def total(self, size: int) -> None:
        self._total = size
        self._progress.reset(self._task, total=size or None)

    def update(self, size: int) -> None:
        """Advance the bar by a number of bytes."""
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        """Set the bar back to 0; pooch does so before it fills the bar at the end."""
        self._progress.reset(self._task)

    def close(self) -> None:
        """Do nothing, because the bar ends with its context."""


def download(url: str, md5: str, folder: Path) -> Path:
    """Fetch a file into a folder, or return the copy that is already there and intact.

    A download that fails is tried again from its first byte. Progress goes to stderr.

    Args:
        url: its last part is the name of the file.
        md5: expected checksum, in hexadecimal digits.
        folder: is created when missing.

    Raises:
        DataError: the server cannot be reached or refuses, or the checksum is wrong.
    """
    name = url.rpartition("/")[2]

    pooch.get_logger().setLevel("WARNING")  # the progress bar shows the rest
    files = pooch.create(
        folder,
        base_url="",
        registry={name: f"md5:{md5}"},
        urls={name: url},
        retry_if_failed=RETRIES,
    )
    try:
        with _show_progress(name) as bar:
            downloader = pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT_SECONDS)
            return Path(files.fetch(name, downloader=downloader))
    except ValueError as error:
        raise DataError(f"{url} arrived with a wrong MD5 checksum; try again later") from error
    except OSError as error:
        raise DataError(f"{url} cannot be downloaded ({_find_cause(error)})") from error


def _find_cause(error: BaseException) -> BaseException:
    """The first error in a chain: those of the network are wrapped several times."""
    return _find_cause(error.__context__) if error.__context__ else error


@contextmanager
def _show_progress(name: str) -> Iterator[ProgressBar]:
    """Draw a bar on stderr, or print a single line where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(f"Downloading {name} ...", soft_wrap=True)
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield ProgressBar(progress, progress.add_task(f"Downloading {name}", total=None))
