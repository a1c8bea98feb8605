"""`smallvision ensemble`: the networks of finished runs, averaged."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import DataDir, Json, TrainedOnPath


def ensemble(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Finished runs: one trained in several cycles, or several."
        ),
    ],
    data: TrainedOnPath = None,
    data_dir: DataDir = None,
    members: Annotated[int, typer.Option(help="The most networks to average, 2 or more.")] = 3,
    select: Annotated[
        str,
        typer.Option(
            help="greedy adds what helps most on validation, while it helps; last takes the "
            "last ones; all takes all."
        ),
    ] = "greedy",
    out: Annotated[Path | None, typer.Option(help="Folder; by default runs/DATA-ensemble.")] = None,
    json: Json = False,
) -> None:
    """Average the networks of finished runs, and say what that gains and costs."""
    from rich.console import Console

    from smallvision.api import ensemble as ensemble_runs
    from smallvision.cli.render.tables import show_ensemble
    from smallvision.records.files import read_json
    from smallvision.records.layout import ENSEMBLE

    run = ensemble_runs(
        *runs, data=data, members=members, select=select, out=out, data_dir=data_dir
    )
    show_ensemble(run, Console(stderr=json))
    if json:
        record = read_json(run.folder / ENSEMBLE)
        summary = {"run": str(run.folder), **run.status, "ensemble": record}
        typer.echo(json_text.dumps(summary, ensure_ascii=False))
