"""What every tracker can do, and how it is reached."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from smallvision.errors import SettingError, UserError, hide_user
from smallvision.tracking.readings import TrackedRun

MOST_MESSAGE = 300  # characters of what a library says


class Tracker(Protocol):
    """A program that shows runs. What it has of a run is brought up to date, as often as asked."""

    def write(self, run: TrackedRun) -> None:
        """Tell all of a run that the tracker does not have yet."""

    def close(self) -> None:
        """Finish what is under way."""

    @property
    def hint(self) -> str:
        """How to look at the runs."""


@dataclass(frozen=True)
class TrackerPlace:
    """Where a tracker keeps its runs.

    Attributes:
        folder: on this machine.
        uri: of a server or a database, instead of the folder.
    """

    folder: Path
    uri: str | None = None

    @property
    def shown(self) -> str:
        """What messages call it: without names and passwords."""
        return str(self.folder) if self.uri is None else hide_secrets(self.uri)


def import_library(name: str, tool: str) -> Any:
    """Import the library of a tracker.

    Raises:
        SettingError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SettingError(
            f"--to {tool} needs the package {name.partition('.')[0]}; "
            f"pip install 'smallvision[{tool}]'"
        ) from error


@contextmanager
def explain_failures(tool: str, place: TrackerPlace) -> Iterator[None]:
    """Turn whatever a tracker's library raises into one line, without secrets.

    Where the address has any, the library is not quoted: it may spell them in its own way. What it
    warns of is for its own developers.

    Raises:
        UserError: it raised something.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except UserError:
        raise
    except Exception as error:
        said = "" if has_secrets(place.uri or "") else f": {' '.join(str(error).split())}"
        raise UserError(
            f"{tool} failed at {place.shown} ({type(error).__name__}{said[:MOST_MESSAGE]}); no run "
            "was touched, so put it right and call the same command again"
        ) from None  # the error's own text may hold a password


def has_secrets(uri: str) -> bool:
    """Whether an address holds a name, a password or a query."""
    return uri != hide_secrets(uri)


def hide_secrets(uri: str) -> str:
    """An address without name, password and query.

    >>> hide_secrets("http://me:pass@host:5000/x?token=t")
    'http://***@host:5000/x'
    """
    return hide_user(uri).partition("?")[0].partition("#")[0]


def split_uri(uri: str) -> SplitResult:
    """The parts of an address.

    Raises:
        SettingError: it is none.
    """
    try:
        return urlsplit(uri)
    except ValueError:
        raise SettingError("--uri is no address; write it like http://host:5000") from None
