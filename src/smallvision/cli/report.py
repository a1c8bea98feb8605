"""`smallvision report`: draw the page of a study or a run again, from its records alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.output import say


def report(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder of a study or of a run.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file to write. Default: FOLDER/report.html.")
    ] = None,
) -> None:
    """Draw the report of a study or run from its records."""
    from smallvision.reporting import write_report

    say(write_report(folder, out).path)
