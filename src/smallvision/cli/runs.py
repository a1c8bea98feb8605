"""`smallvision runs`: the experiments on disk, best first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder to search, at any depth.")
    ] = Path(),
) -> None:
    """List every run below a folder, best validation accuracy first."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.runs import print_runs
    from smallvision.records.layout import find_runs

    print_runs(folder, list(find_runs(folder)), open_console())
