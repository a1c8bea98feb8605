"""The command line, called in this process."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Outcome:
    """What a command did.

    Attributes:
        code: exit code.
        out: what it printed to stdout.
        err: what it printed to stderr.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What `--json` printed, on stdout and alone there."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """All that it printed, on one line: a terminal breaks sentences at its width."""
        return " ".join(f"{self.out} {self.err}".split())


def call_command(*arguments: str | Path) -> Outcome:
    """Call `smallvision` with arguments: `call_command("train", "digits", "mlp")`."""
    from smallvision.cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: int | str | None = 0
    with (
        patch.object(sys, "argv", ["smallvision", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return Outcome(int(code or 0), read_stream(out), read_stream(err))


def read_stream(stream: io.TextIOWrapper) -> str:
    """What was written to a stream in memory."""
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def spell_settings(*settings: str) -> list[str]:
    """Overrides as options: `--set epochs=1 --set compute.threads=1`."""
    return [word for setting in settings for word in ("--set", setting)]


FAST = spell_settings("epochs=1", "compute.threads=1")
BRIEF = spell_settings("epochs=2", "compute.threads=1")  # two cycles need two epochs


def assert_refused(outcome: Outcome, said: str) -> None:
    """Check that a command was refused in one line that says something, and exit code 2."""
    assert (outcome.code, outcome.err.count("\n")) == (2, 1), outcome.err
    assert outcome.err.startswith("error: ")
    assert said in outcome.err
