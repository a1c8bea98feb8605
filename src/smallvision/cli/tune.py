"""`smallvision tune`: better settings for a recipe, and whether the gain holds."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import (
    CheckpointTo,
    DataOrBegun,
    Json,
    MetricOption,
    Resume,
    ScaleOption,
    SettingsOption,
    keep_copies,
    leave_if_busy,
    read_duration,
)
from smallvision.cli.output import say_json


@reads_images
def tune(
    data: DataOrBegun = None,
    recipe: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE",
            help="The name of a rung, such as wrn-aug, or a TOML file. With --resume and no DATA, "
            "that of the search.",
        ),
    ] = "wrn-aug",
    trials: Annotated[
        int, typer.Option(min=2, help="The number of trials, those of earlier calls included.")
    ] = 12,
    budget: Annotated[
        str | None, typer.Option(metavar="TIME", help="The time for all of it, such as 10m.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SMALLVISION_STORAGE",
            show_envvar=False,
            help="The URL of an Optuna storage, by which any number of workers share the search; "
            "a password is safer in the variable SMALLVISION_STORAGE. Default: a SQLite file in "
            "--out.",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="The number of epochs of a trial. Default: a third of the recipe's epochs."
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=0,
            max=100,
            help="The number of fresh seeds to rerun the winner with; 0 for no rerun.",
        ),
    ] = 2,
    preset: ScaleOption = "laptop",
    loading: Loading = NOTHING_ASKED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the search. Default: tunings/DATA-RECIPE, which is continued "
            "without --resume."
        ),
    ] = None,
    settings: SettingsOption = None,
    metric: MetricOption = None,
    resume: Resume = False,
    checkpoint_to: CheckpointTo = None,
    json: Json = False,
) -> None:
    """Search for better settings of a recipe, then test the gain with fresh seeds."""
    leave_if_busy(out)
    from smallvision.records.layout import RECIPE
    from smallvision.records.nofollow import is_file

    budget_seconds = None if budget is None else read_duration(budget)
    with keep_copies(out, checkpoint_to, resume=resume):
        begun = out if resume else None
        if begun is not None and data is None and is_file(begun / RECIPE):
            recipe = str(begun / RECIPE)

        from smallvision.api import tune as tune_recipe
        from smallvision.cli.render.progress import TerminalProgress
        from smallvision.cli.render.tuning import print_tuning
        from smallvision.recipes import read_own_recipe
        from smallvision.recipes.search_space import read_values

        with TerminalProgress(to_stderr=json) as progress:
            tuning = tune_recipe(
                partial(loading.load, data, begun=begun),
                recipe,
                trials=trials,
                budget_seconds=budget_seconds,
                epochs=epochs,
                storage=storage,
                seeds=seeds,
                preset=preset,
                out=out,
                settings=settings or (),
                metric=metric,
                resume=resume,
                callbacks=[progress],
            )
        record = tuning.record
        untuned = read_own_recipe(tuning.folder / RECIPE)
        own = read_values(untuned, [dimension.key for dimension in record.space])
        print_tuning(tuning.folder, record, own, progress.console)
        if json:
            summary = {
                "tune": str(tuning.folder),
                "recipe": str(tuning.folder / "tuned.toml"),
                **record.model_dump(mode="json", include={"best", "importance", "rerun"}),
                "trials": len(record.trials),
            }
            say_json(summary)
