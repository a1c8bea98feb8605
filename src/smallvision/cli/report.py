"""`smallvision report`: draw a study's page again, from its records alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A study folder.")],
    out: Annotated[
        Path | None, typer.Option(help="Where to write; by default STUDY/report.html.")
    ] = None,
) -> None:
    """Draw the report from records alone; needs neither the images nor torch."""
    from smallvision.reporting import write_report

    typer.echo(write_report(study, out).path)
