"""Repeats of a run with other seeds, on its split: how much of a result is chance."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from smallvision.errors import FailedRunError, RecordError
from smallvision.recipes import Recipe, follow_seed, read_run_recipe
from smallvision.recipes.overrides import check_seeds
from smallvision.records import store
from smallvision.records.layout import (
    SEEDS,
    SEEDS_RECORD,
    list_failed,
    list_repeats,
)
from smallvision.records.schema import SeedSummary
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import Job, own_models
from smallvision.runs.train import run_recipe
from smallvision.stats.seeds import summarize_seeds


def plan_repeats(recipe: Recipe, seeds: int) -> list[Recipe]:
    """The recipe with the seeds that follow its own.

    Args:
        recipe: of the first run.
        seeds: runs in all, the first one included.

    Raises:
        SettingError: fewer than one run or too many, or a seed beyond the largest.
    """
    check_seeds(seeds)
    return [follow_seed(recipe, i) for i in range(1, seeds)]


def repeat_run(recipe: Recipe, job: Job, seeds: int) -> SeedSummary:
    """Repeat a finished run with the seeds that follow its own, or go on where that stopped.

    A repeat draws its weights, order and augmentation from its own seed; the split stays that of
    the first run, so that all are validated on the same images. Repeats that an earlier call made
    are counted whatever `seeds` says: nobody may choose among them. One that diverged or ran out
    of memory is no reason to give up the others, and is named in the record.

    Args:
        recipe: of the finished run.
        job: of the finished run; the repeats go to `seeds/SEED` in its folder.
        seeds: runs in all, at least 2, the first one included.

    Returns: the content of `seeds.json`.

    Raises:
        SettingError: a seed beyond the largest.
        RecordError: a folder belongs to another recipe or split.
    """
    for repeat in plan_repeats(recipe, seeds):
        job.callback.on_message(f"{repeat.name} once more, with seed {repeat.seed}")
        with suppress(FailedRunError):  # its status tells, and with it the summary
            run_recipe(
                repeat, job.inside(f"{SEEDS}/{repeat.seed}").offering(own_models(job.folder))
            )
    record = summarize_repeats(job.folder)
    store.write(job.folder / SEEDS_RECORD, record)
    return record


def read_repeats(run: Path) -> SeedSummary | None:
    """The content of a run's `seeds.json`; None for a run without repeats.

    Raises:
        RecordError: it is damaged.
    """
    return store.read_if_there(run / SEEDS_RECORD, SeedSummary)


def summarize_repeats(folder: Path) -> SeedSummary:
    """Sum up a run and its repeats.

    Returns: the content of `seeds.json`; where every repeat failed, deviation and interval are
        None.

    Raises:
        RecordError: the run has no repeat that came to an end.
    """
    runs, failed = [folder, *list_repeats(folder)], list_failed(folder)
    if len(runs) < 2 and not failed:
        raise RecordError(f"{folder} has no finished repeat; add --seeds 2 or more")
    validated = [find_validated(run)[1].val for run in runs]
    accuracies = tuple(val.accuracy for val in validated)
    summary = summarize_seeds(accuracies) if len(runs) > 1 else None
    return SeedSummary(
        seeds=tuple(read_run_recipe(run).seed for run in runs),
        accuracies=accuracies,
        failed=tuple(read_run_recipe(run).seed for run in failed),
        mean=summary.mean if summary else accuracies[0],
        std=summary.std if summary else None,
        interval=summary.interval if summary else None,
        n=validated[0].n,
    )
