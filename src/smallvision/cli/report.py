"""`smallvision report`: draw the page of a study or a run again, from its records alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of a study, or of a run.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; by default FOLDER/report.html.")
    ] = None,
) -> None:
    """Draw the report from records alone; needs neither the images nor torch."""
    from smallvision.reporting import write_report

    typer.echo(write_report(folder, out).path)
