"""Repeats of a run with other seeds, on its split: how much of a result is luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.recipes import Recipe, follow_seed, read_run_recipe
from smallvision.records.files import read_json, write_json
from smallvision.records.layout import SEEDS, STATUS, list_failed, list_repeats
from smallvision.runs.train import own_teacher, run_recipe
from smallvision.stats.seeds import summarize_seeds
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
    return [follow_seed(recipe, i) for i in range(1, seeds)]


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
    are counted whatever `seeds` says: nobody may choose among them. One that diverged or ran out
    of memory is no reason to give up the others, and is named in the record.

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
    """
    for repeat in plan_repeats(recipe, seeds):
        place = folder / SEEDS / str(repeat.seed)
        with suppress(FailedRunError):  # its status tells, and with it the summary
            run_recipe(
                repeat,
                dataset,
                split,
                place,
                watchers=watchers_for(repeat),
                teacher=own_teacher(folder),
            )
    record = summarize_repeats(folder)
    write_json(folder / "seeds.json", record)
    return record


def summarize_repeats(folder: Path) -> dict[str, Any]:
    """Sum up a run and its repeats.

    Returns: the content of `seeds.json`; where every repeat failed, deviation and interval are
        None.

    Raises:
        RecordError: the run has no repeat that came to an end.
    """
    runs, failed = [folder, *list_repeats(folder)], list_failed(folder)
    if len(runs) < 2 and not failed:
        raise RecordError(f"{folder} has no finished repeat; add --seeds 2 or more")
    validated = [read_json(run / STATUS)["val"] for run in runs]
    accuracies = [val["accuracy"] for val in validated]
    summary = summarize_seeds(accuracies) if len(runs) > 1 else None
    return {
        "schema": 1,
        "seeds": [read_run_recipe(run).seed for run in runs],
        "accuracies": accuracies,
        "failed": [read_run_recipe(run).seed for run in failed],
        "mean": summary.mean if summary else accuracies[0],
        "std": summary.std if summary else None,
        "interval": list(summary.interval) if summary else None,
        "n": validated[0]["n"],
    }
