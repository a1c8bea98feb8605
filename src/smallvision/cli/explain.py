"""`smallvision explain`: what a run gets wrong on its validation images."""

from __future__ import annotations

import json as json_text

import typer

from smallvision.cli.options import DataDir, Json, RunFolder, TrainedOn


def explain(
    run: RunFolder,
    data: TrainedOn = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Look at a run's errors on its validation images; the test set stays sealed."""
    from rich.console import Console

    from smallvision.cli.render.tables import show_errors
    from smallvision.runs.explain import explain as explain_run

    analysis = explain_run(run, data, data_dir=data_dir)
    show_errors(analysis.record, run / "errors", Console(stderr=json))
    if json:
        typer.echo(json_text.dumps(analysis.record, ensure_ascii=False))
