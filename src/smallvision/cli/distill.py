"""`smallvision distill`: one network that learns from a finished run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import (
    Json,
    Resume,
    ScaleOption,
    SettingsOption,
    TrainedOnPath,
    leave_if_busy,
)
from smallvision.cli.output import say_json


@reads_images
def distill(
    teacher: Annotated[
        Path,
        typer.Argument(
            metavar="TEACHER",
            help="The folder of a finished run, such as an ensemble, or of a study, whose winner "
            "is the teacher.",
        ),
    ],
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="The recipe of the student: a rung or a TOML file. Default: the teacher's recipe.",
            show_default=False,
        ),
    ] = None,
    data: TrainedOnPath = None,
    loading: Loading = NOTHING_ASKED,
    preset: ScaleOption = "laptop",
    out: Annotated[
        Path | None,
        typer.Option(help="The folder of the run. Default: runs/DATA-RECIPE-distilled."),
    ] = None,
    settings: SettingsOption = None,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train one network on the predictions of a finished run, and compare the two."""
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
            data=loading.load_for(teacher, data),
            preset=preset,
            out=out,
            settings=settings or (),
            resume=resume,
            data_dir=loading.data_dir,
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
        say_json(summary)
