"""`smallvision explain`: the errors of a run on its validation images."""

from __future__ import annotations

import typer

from smallvision.cli.options import DataDir, Json, RunFolder, TrainedOn


def explain(
    run: RunFolder,
    data: TrainedOn = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Analyse the errors of a run on its validation images; the test set stays sealed."""
    from rich.console import Console

    from smallvision.cli.render.errors import print_errors
    from smallvision.runs.explain import explain as explain_run

    analysis = explain_run(run, data, data_dir=data_dir)
    print_errors(analysis.record, run / "errors", Console(stderr=json))
    if json:
        typer.echo(analysis.record.model_dump_json())
