"""`smallvision train`: one recipe, one run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import (
    BudgetOption,
    CheckpointTo,
    DataOrBegun,
    Json,
    MetricOption,
    Resume,
    ScaleOption,
    SettingsOption,
    StartOption,
    keep_copies,
    leave_if_busy,
    read_duration,
    spell_command,
)
from smallvision.cli.output import say_json


@reads_images
def train(
    data: DataOrBegun = None,
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE", help="The name of a rung, such as wrn-aug, or a TOML file."
        ),
    ] = "wrn-aug",
    preset: ScaleOption = "laptop",
    budget: BudgetOption = None,
    loading: Loading = NOTHING_ASKED,
    out: Annotated[
        Path | None, typer.Option(help="The folder of the run. Default: runs/DATA-RECIPE.")
    ] = None,
    settings: SettingsOption = None,
    metric: MetricOption = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1, max=100, help="The number of runs, with consecutive seeds on the same split."
        ),
    ] = 1,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Train again on training and validation images afterwards."),
    ] = False,
    target: Annotated[
        float | None,
        typer.Option(
            help="Use the speednet recipe for this test accuracy on CIFAR-10, such as 0.94. With "
            "--refit it is trained once, on all images.",
            show_default=False,
        ),
    ] = None,
    start: StartOption = None,
    resume: Resume = False,
    checkpoint_to: CheckpointTo = None,
    evaluate: Annotated[
        bool,
        typer.Option(
            "--evaluate", help="Open the test set at the end and report the test accuracy."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Train one recipe and write its records to a run folder."""
    leave_if_busy(out)
    from smallvision.api import evaluate as evaluate_run
    from smallvision.api import find_test
    from smallvision.api import train as train_run
    from smallvision.cli.render.progress import TerminalProgress
    from smallvision.cli.render.run import print_run, print_seeds
    from smallvision.cli.render.scores import print_test
    from smallvision.recipes import find_preset
    from smallvision.records.schema import TestSummary

    find_preset(preset)
    with keep_copies(out, checkpoint_to, resume=resume):
        dataset = loading.load(data, begun=out if resume else None)
        with TerminalProgress(to_stderr=json) as progress:
            for note in dataset.notes:
                progress.on_message(note)
            run = train_run(
                dataset,
                recipe,
                preset=preset,
                budget_seconds=None if budget is None else read_duration(budget),
                out=out,
                settings=settings or (),
                metric=metric,
                resume=resume,
                seeds=seeds,
                refit=refit,
                target=target,
                start=start,
                callbacks=[progress],
            )
        status, repeats = run.status, run.seeds
        print_run(run.folder, status, progress.console)
        summary = {"run": str(run.folder), **status.model_dump(mode="json")}
        if repeats is not None:
            print_seeds(status.name, repeats, progress.console)
            summary["seeds"] = repeats.model_dump(mode="json")
        if not evaluate:
            opener = f"smallvision evaluate {run.folder}"
            progress.on_message(f"The test set stays sealed; this opens it, and counts: {opener}")
        else:
            # Training that was finished and tested before is no reason to open the test set again.
            result = find_test(run) or evaluate_run(run, dataset, command=spell_command())
            print_test(result.record, progress.console)
            summary["test"] = result.record.extend(TestSummary).model_dump(mode="json")
        if json:
            say_json(summary)
