"""`smallvision compare`: finished runs on one split, all with all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Json
from smallvision.cli.output import say_json


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Folders of runs, ensembles or studies; a study stands for its finished rungs.",
        ),
    ],
    json: Json = False,
) -> None:
    """Compare runs on the same validation images; runs of one recipe form one group."""
    from smallvision.cli.render.comparison import print_comparison
    from smallvision.cli.render.console import open_console
    from smallvision.comparison.groups import compare_groups

    comparison = compare_groups(runs)
    print_comparison(comparison, open_console(to_stderr=json))
    if json:
        say_json(comparison.model_dump(mode="json"))
