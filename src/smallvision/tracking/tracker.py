"""What every tracker can do, and how it is reached."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from smallvision.errors import SettingError, UserError
from smallvision.tracking.readings import TrackedRun

MOST_MESSAGE = 300  # characters of what a library says
HIDDEN = "***"


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
        return str(self.folder) if self.uri is None else hide_secrets(self.uri, self.uri)


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
def explain_failures(tool: str, uri: str | None) -> Iterator[None]:
    """Turn whatever a tracker's library raises into one line, without secrets.

    Raises:
        UserError: it raised something.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        said = hide_secrets(" ".join(str(error).split()), uri)[:MOST_MESSAGE]
        raise UserError(
            f"{tool} failed ({type(error).__name__}: {said}); no run was touched, so put it right "
            "and call the same command again"
        ) from None  # the error's own text may hold a password


def hide_secrets(text: str, uri: str | None) -> str:
    """A text without the names, passwords and queries of an address.

    >>> hide_secrets("no http://me:pass@host/x?token=t", "http://me:pass@host/x?token=t")
    'no http://***@host/x'
    """
    if uri is None:
        return text
    parts = split_uri(uri)
    user, _, _ = parts.netloc.rpartition("@")
    plain = uri.partition("?")[0].partition("#")[0]
    shown = plain.replace(f"{user}@", f"{HIDDEN}@", 1) if user else plain
    text = text.replace(uri, shown).replace(plain, shown)
    secrets = [user, user.partition(":")[2], parts.query, parts.fragment]
    secrets += [value for pair in parts.query.split("&") for value in [pair.partition("=")[2]]]
    for secret in sorted({*secrets, *map(unquote, secrets)}, key=len, reverse=True):
        text = text.replace(secret, HIDDEN) if secret else text
    return text


def split_uri(uri: str) -> SplitResult:
    """The parts of an address.

    Raises:
        SettingError: it is none.
    """
    try:
        return urlsplit(uri)
    except ValueError:
        raise SettingError("--uri is no address; write it like http://host:5000") from None
