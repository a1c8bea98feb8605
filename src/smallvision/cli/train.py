"""`smallvision train`: one recipe, one run folder."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import (
    Data,
    DataDir,
    Json,
    NoMirror,
    Preset,
    Resume,
    Settings,
    leave_if_busy,
    pick_data,
    spell_command,
)


def train(
    data: Data = "digits",
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A rung such as wrn-aug, or a TOML file.")
    ] = "wrn-aug",
    preset: Preset = "laptop",
    data_dir: DataDir = None,
    no_mirror: NoMirror = False,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/DATA-RECIPE.")
    ] = None,
    settings: Settings = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Runs in all: repeats take the next seeds, on one split.")
    ] = 1,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Then train once more, on training and validation images."),
    ] = False,
    target: Annotated[
        float | None,
        typer.Option(
            help="Take the speednet made for this test accuracy on CIFAR-10, such as 0.94; with "
            "--refit it is trained once, on all images.",
            show_default=False,
        ),
    ] = None,
    resume: Resume = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Open the test set once, at the end.")
    ] = False,
    json: Json = False,
) -> None:
    """Train one recipe and keep everything in a run folder."""
    leave_if_busy(out)
    from smallvision.api import evaluate as evaluate_run
    from smallvision.api import find_test
    from smallvision.api import train as train_run
    from smallvision.cli.render.progress import TerminalNarrator
    from smallvision.cli.render.tables import show_run, show_seeds, show_test
    from smallvision.data.loading.load import as_dataset
    from smallvision.recipes import find_preset

    find_preset(preset)
    dataset = as_dataset(pick_data(data, data_dir, no_mirror=no_mirror), data_dir)
    with TerminalNarrator(to_stderr=json) as narrator:
        for note in dataset.notes:
            narrator.say(note)
        run = train_run(
            dataset,
            recipe,
            preset=preset,
            out=out,
            settings=settings or (),
            resume=resume,
            watchers=narrator.watch_run(),
            seeds=seeds,
            refit=refit,
            target=target,
            watchers_for=narrator.watch_repeat,
        )
    show_run(run, narrator.console)
    summary = {"run": str(run.folder), **run.status}
    if run.seeds is not None:
        show_seeds(run.status["name"], run.seeds, narrator.console)
        summary["seeds"] = run.seeds
    if not evaluate:
        opener = f"smallvision evaluate {run.folder} {data}"
        narrator.say(f"The test set stays sealed; this opens it, and counts: {opener}")
    else:
        # Training that was already finished and tested is not a reason to open the seal again.
        result = find_test(run) or evaluate_run(run, dataset, command=spell_command())
        show_test(result.record, narrator.console)
        summary["test"] = {
            key: result.record[key] for key in ("accuracy", "interval", "n", "openings")
        }
    if json:
        typer.echo(json_text.dumps(summary, ensure_ascii=False))
