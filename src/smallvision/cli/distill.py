"""`smallvision distill`: one network that learns from a finished run."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import (
    DataDir,
    Json,
    Preset,
    Resume,
    Settings,
    TrainedOnPath,
    leave_if_busy,
)


def distill(
    teacher: Annotated[
        Path, typer.Argument(metavar="TEACHER", help="A finished run, such as an ensemble.")
    ],
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="Of the student: a rung or a TOML file; by default the teacher's own.",
            show_default=False,
        ),
    ] = None,
    data: TrainedOnPath = None,
    data_dir: DataDir = None,
    preset: Preset = "laptop",
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/DATA-RECIPE-distilled.")
    ] = None,
    settings: Settings = None,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train one network to answer as a finished run does, and say what that saves and loses."""
    leave_if_busy(out)
    from smallvision.api import distill as distill_model
    from smallvision.cli.render.progress import TerminalProgress
    from smallvision.cli.render.run import print_distillation, print_run
    from smallvision.records import store
    from smallvision.records.layout import DISTILLED
    from smallvision.records.schema import Distillation

    with TerminalProgress(to_stderr=json) as progress:
        run = distill_model(
            teacher,
            recipe,
            data=data,
            preset=preset,
            out=out,
            settings=settings or (),
            resume=resume,
            data_dir=data_dir,
            callbacks=[progress],
        )
    record, status = store.read(run.folder / DISTILLED, Distillation), run.status
    print_run(run.folder, status, progress.console)
    print_distillation(status, record, progress.console)
    if json:
        summary = {
            "run": str(run.folder),
            **status.model_dump(mode="json"),
            "distilled": record.model_dump(mode="json"),
        }
        typer.echo(json_text.dumps(summary, ensure_ascii=False))
