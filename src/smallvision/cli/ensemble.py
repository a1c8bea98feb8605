"""`smallvision ensemble`: the networks of finished runs, averaged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import Json, TrainedOnPath
from smallvision.cli.output import say_json

if TYPE_CHECKING:
    from smallvision.records.schema import SelectionName


@reads_images
def ensemble(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="The folders of finished runs: one with several cycles, or several runs. A study "
            "stands for its finished rungs.",
        ),
    ],
    data: TrainedOnPath = None,
    loading: Loading = NOTHING_ASKED,
    members: Annotated[
        int, typer.Option(help="The largest number of networks to average, at least 2.")
    ] = 3,
    select: Annotated[
        str,
        typer.Option(
            help="How networks are chosen: greedy adds the one that improves validation most, "
            "last takes the last ones, all takes all."
        ),
    ] = "greedy",
    out: Annotated[
        Path | None, typer.Option(help="The folder of the ensemble. Default: runs/DATA-ensemble.")
    ] = None,
    json: Json = False,
) -> None:
    """Average the predictions of finished runs, and report the gain and the cost."""
    from smallvision.api import ensemble as ensemble_runs
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.ensemble import print_ensemble
    from smallvision.records import store
    from smallvision.records.layout import ENSEMBLE
    from smallvision.records.schema import EnsembleRecord
    from smallvision.runs.finished_run import find_validated

    run = ensemble_runs(
        *runs,
        data=loading.load_for(runs[0], data),
        members=members,
        select=cast("SelectionName", select),  # an unknown one is refused in one line
        out=out,
        data_dir=loading.data_dir,
    )
    folder, status = find_validated(run)
    record = store.read(folder / ENSEMBLE, EnsembleRecord)
    print_ensemble(folder, status, record, open_console(to_stderr=json))
    if json:
        summary = {
            "run": str(folder),
            **status.model_dump(mode="json"),
            "ensemble": record.model_dump(mode="json"),
        }
        say_json(summary)
