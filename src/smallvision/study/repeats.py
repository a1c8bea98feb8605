"""Repeats of a run with other seeds, on its split: how much of a result is luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import RecordError, SettingError
from smallvision.recipes import Recipe, parse_recipe, read_recipe
from smallvision.records.files import read_json, write_json
from smallvision.records.folder import SEEDS, STATUS, list_repeats
from smallvision.stats.seeds import summarize_seeds
from smallvision.study.run import run_recipe
from smallvision.training import Watcher


def plan_repeats(recipe: Recipe, seeds: int) -> list[Recipe]:
    """The recipe with the seeds that follow its own.

    Args:
        recipe: of the first run.
        seeds: runs in all, the first one included.

    Raises:
        SettingError: fewer than one run, or a seed beyond the largest.
    """
    if seeds < 1:
        raise SettingError(f"seeds is {seeds}; expected 1 or more")
    return [parse_recipe({**recipe.plain(), "seed": recipe.seed + i}) for i in range(1, seeds)]


def repeat_run(
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    seeds: int,
    *,
    watchers_for: Callable[[Recipe], Sequence[Watcher]] = lambda _recipe: (),
) -> dict[str, Any]:
    """Repeat a finished run with the seeds that follow its own, or go on where that stopped.

    A repeat draws its weights, order and augmentation from its own seed; the split stays that of
    the first run, so that all are validated on the same images. Repeats that an earlier call made
    are counted whatever `seeds` says: nobody may choose among them.

    Args:
        recipe: of the run in `folder`.
        dataset: whose training images.
        split: of the run in `folder`.
        folder: of the finished run; the repeats go to `seeds/SEED` inside.
        seeds: runs in all, at least 2, the first one included.
        watchers_for: called with a repeat's recipe before it begins; gives its watchers.

    Returns: the content of `seeds.json`.

    Raises:
        SettingError: a seed beyond the largest.
        RecordError: a folder belongs to another recipe or split.
        FailedRunError: a repeat diverged or ran out of memory; its status says so.
    """
    for repeat in plan_repeats(recipe, seeds):
        place = folder / SEEDS / str(repeat.seed)
        run_recipe(repeat, dataset, split, place, watchers=watchers_for(repeat))
    record = summarize_repeats(folder)
    write_json(folder / "seeds.json", record)
    return record


def summarize_repeats(folder: Path) -> dict[str, Any]:
    """Sum up a run and its finished repeats.

    Returns: the content of `seeds.json`.

    Raises:
        RecordError: the run has no finished repeat.
    """
    runs = [folder, *list_repeats(folder)]
    if len(runs) < 2:
        raise RecordError(f"{folder} has no finished repeat; add --seeds 2 or more")
    validated = [read_json(run / STATUS)["val"] for run in runs]
    accuracies = [val["accuracy"] for val in validated]
    summary = summarize_seeds(accuracies)
    return {
        "schema": 1,
        "seeds": [read_recipe(run / "recipe.toml").seed for run in runs],
        "accuracies": accuracies,
        "mean": summary.mean,
        "std": summary.std,
        "interval": list(summary.interval),
        "n": validated[0]["n"],
    }
