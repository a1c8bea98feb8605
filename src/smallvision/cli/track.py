"""`smallvision track`: runs as MLflow, TensorBoard or Weights & Biases show them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallvision.cli.output import say

if TYPE_CHECKING:
    from smallvision.tracking.readings import TrackedRun


def track(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder of a run or of a study.")
    ],
    to: Annotated[str, typer.Option(metavar="TRACKER", help="mlflow, tensorboard or wandb.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            metavar="DIR",
            help="The folder that the tracker keeps its runs in. Default: mlruns, tensorboard or "
            "wandb-runs.",
            show_default=False,
        ),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="The address of a server, or for MLflow of a database, instead of a folder.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Go on until the run or the study has come to its end."),
    ] = False,
    interval: Annotated[
        float,
        typer.Option(min=0.1, max=3600, help="Seconds from one look at the records to the next."),
    ] = 10.0,
) -> None:
    """Tell a tracker of runs, from their records alone; called again, it tells only what is new."""
    from smallvision.tracking.track import track as track_runs

    try:
        done = track_runs(
            folder, to, out=out, uri=uri, follow=interval if follow else None, tell=say_run
        )
    except (KeyboardInterrupt, SystemExit):
        say("stopped; the same command goes on", err=True)
        raise
    say(f"Tracked in {done.place}; look at it with: {done.hint}")


def say_run(run: TrackedRun) -> None:
    """Print how far a run was told."""
    epochs = len(run.epochs)
    say(f"{run.name}: {run.state}, {epochs} epoch{'' if epochs == 1 else 's'}")
