"""The ways out of the command line beside the console: lines, and JSON for other programs.

Whatever a line holds, a terminal obeys none of it.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import typer

from smallvision.text import show_lines, show_text


def say(text: object, *, err: bool = False) -> None:
    """Print one line, on stderr if it is no result."""
    typer.echo(show_text(str(text)), err=err)


def say_lines(text: str, *, err: bool = False) -> None:
    """Print text that ends its lines itself."""
    typer.echo(show_lines(text), err=err, nl=False)


def say_json(value: Any) -> None:
    """Print plain values as one line of JSON in ASCII: no terminal obeys it, and none changes it.

    Programs read the same text from it as if it were raw.
    """
    typer.echo(json.dumps(value, allow_nan=False))


def say_envelope(fields: Mapping[str, Any]) -> None:
    """Print an object that is no record, with the version of the format as its first field."""
    from smallvision.records.store import SCHEMA, VERSION

    say_json({SCHEMA: VERSION, **fields})


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - Python gives it; ours go to stderr
    line: str | None = None,
) -> None:
    """Print a warning of a library, which may quote a file."""
    say_lines(warnings.formatwarning(message, category, filename, lineno, line), err=True)


def show_traceback(
    kind: type[BaseException], error: BaseException, place: TracebackType | None
) -> None:
    """Print the traceback of a mistake of ours, whose message may quote a file."""
    say_lines("".join(traceback.format_exception(kind, error, place)), err=True)


def guard_stderr() -> None:
    """Let what Python itself prints pass the same way."""
    warnings.showwarning = show_warning
    sys.excepthook = show_traceback
