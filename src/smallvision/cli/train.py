"""`smallvision train`: one recipe, one run folder."""

from __future__ import annotations

import json as json_text
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.options import Data, DataDir, Json, Preset, Resume, Settings, spell_command


def train(
    data: Data = "digits",
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A rung such as wrn-aug, or a TOML file.")
    ] = "wrn-aug",
    preset: Preset = "laptop",
    data_dir: DataDir = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/DATA-RECIPE.")
    ] = None,
    settings: Settings = None,
    resume: Resume = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Open the test set once, at the end.")
    ] = False,
    json: Json = False,
) -> None:
    """Train one recipe and keep everything in a run folder."""
    from smallvision.cli.narrator import TerminalNarrator
    from smallvision.cli.tables import show_run, show_test
    from smallvision.records.folder import STATUS, newest_folder
    from smallvision.study import evaluate as evaluate_run
    from smallvision.study import train as train_run
    from smallvision.study.library import RUNS, as_dataset

    narrator = TerminalNarrator(to_stderr=json)
    dataset = as_dataset(data, data_dir)
    for note in dataset.notes:
        narrator.say(note)
    if out is None and resume:
        out = newest_folder(RUNS, f"{dataset.name}-{Path(recipe).stem}", STATUS)
    with narrator:
        run = train_run(
            dataset,
            recipe,
            preset=preset,
            out=out,
            settings=settings or (),
            resume=resume,
            watchers=narrator.watch_run(),
        )
    show_run(run, narrator.console)
    summary = {"run": str(run.folder), **run.status}
    if evaluate:
        result = evaluate_run(run, dataset, command=spell_command())
        show_test(result.record, narrator.console)
        summary["test"] = {
            key: result.record[key] for key in ("accuracy", "interval", "n", "openings")
        }
    if json:
        typer.echo(json_text.dumps(summary, ensure_ascii=False))
