"""The work on a rung: trained, tuned first, or made an ensemble of one run's snapshots."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.recipes import Rung, follow_seed
from smallvision.recipes.toml import sum_recipe
from smallvision.records import store
from smallvision.records.files import copy_folder, make_folder
from smallvision.records.layout import FOLDS, SNAPSHOTS, STATUS, is_finished
from smallvision.records.locks import LOCK
from smallvision.records.schema import ValidatedRun
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import Job, TrainingSplit
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import run_recipe, write_recipe
from smallvision.study.context import StudyContext
from smallvision.study.folds import cross_validate
from smallvision.tuning.trials import bound_epochs
from smallvision.tuning.tune import SearchOptions, best_recipe, tune_recipe

FLATTERED = "The settings of {} were chosen on these validation images, which flatters it."
FLATTERED_FOLD = (
    "The settings of {} were chosen on the validation images of fold 1 alone, which flatters it."
)


def train_rung(rung: Rung, context: StudyContext) -> ValidatedRun:
    """Train a rung's recipe, as often as was asked for, on every fold."""
    job = context.job_of(rung.name)
    status = run_recipe(rung.recipe, job)
    cross_validate(partial(run_recipe, rung.recipe), job, context)
    if context.plan.seeds > 1 and rung.slot in context.ladder.repeated:
        repeat_run(rung.recipe, job, context.plan.seeds)
    return status


def tune_rung(rung: Rung, context: StudyContext) -> ValidatedRun:
    """Search around a rung's recipe, then train the winner with a seed the search has not seen.

    The accuracy of the search's best trial is the luckiest of many; the fresh run is not. Where no
    trial beats the settings there are, there is nothing to train.
    """
    preset, folder = context.ladder.preset, context.folder_of(rung.name)
    untuned = rung.recipe.model_copy(update={"name": rung.base})
    epochs = bound_epochs(untuned, round(untuned.epochs * preset.trial_share))
    search = tune_recipe(
        untuned,
        context.job.at(make_folder(folder) / "tune"),
        SearchOptions(trials=preset.trials, epochs=epochs),
    )
    winner = best_recipe(untuned, search)
    base = context.folder_of(rung.base)
    if winner == untuned and is_finished(base):
        note = f"No trial beat the settings of {rung.base}: this is its run, not another."
        status = adopt_run(base, folder, rung, note)
    else:
        fresh = follow_seed(winner, 1).model_copy(update={"name": rung.name})
        status = train_rung(rung.with_recipe(fresh), context)
        caveat = FLATTERED_FOLD if context.folds else FLATTERED
        status = status.change(caveats=(caveat.format(rung.name),))
    return status.change(search_seconds=sum((trial.seconds for trial in search.trials), 0.0))


def adopt_run(source: Path, folder: Path, rung: Rung, note: str) -> ValidatedRun:
    """Make a finished run that of a rung which changes nothing, at no cost; returns its status."""
    # The status comes last: a kill before leaves a run that is not finished.
    copy_folder(
        source,
        folder,
        lambda path: path.name in ("checkpoints", "refit", LOCK) or path == source / STATUS,
    )
    write_recipe(folder, rung.recipe)
    known = find_validated(source)[1]
    status = known.change(
        name=rung.name,
        seconds=0.0,
        notes=(*known.notes, note),
        recipe_sum=sum_recipe(rung.recipe),
    )
    store.write(folder / STATUS, status)
    return status


def ensemble_rung(rung: Rung, context: StudyContext) -> ValidatedRun:
    """Train one run with warm restarts and average the models at its restarts, on every fold."""
    job, base = context.job_of(rung.name), context.folder_of(rung.base)
    status = average_snapshots(rung, base, job)

    def average_fold(fold: Job) -> ValidatedRun:
        return average_snapshots(rung, base / FOLDS / fold.folder.name, fold)

    cross_validate(average_fold, job, context)
    return status


def average_snapshots(rung: Rung, base: Path, job: Job) -> ValidatedRun:
    """The ensemble of a rung on one split.

    Its first cycles are those of the rung it builds on: where that one was trained here, it goes on
    from its end.

    Args:
        rung: what to train.
        base: folder of the rung that it builds on, trained on the same split.
        job: on the split, in the ensemble's folder.
    """
    if is_finished(job.folder):
        return find_validated(job.folder)[1]
    recipe = rung.recipe.model_copy(update={"name": "snapshots"})
    run_recipe(recipe, job.inside(SNAPSHOTS), TrainingSplit(warm_start=base))
    options = EnsembleOptions(members=3, name=rung.name)  # three, as in the study of CIFAR-10
    return build_ensemble([job.folder / SNAPSHOTS], job, options)


WORK: dict[str, Callable[[Rung, StudyContext], ValidatedRun]] = {
    "train": train_rung,
    "tune": tune_rung,
    "ensemble": ensemble_rung,
}
