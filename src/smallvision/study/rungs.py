"""The work on a rung: trained, tuned first, or made an ensemble of one run's snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.recipes import Recipe, Rung, follow_seed, read_run_recipe
from smallvision.recipes.ladder import add_cycles
from smallvision.recipes.scale import TRIAL_SHARE
from smallvision.recipes.settings.optimization import LinearSettings, SgdrSettings
from smallvision.recipes.toml import sum_recipe
from smallvision.records import store
from smallvision.records.files import copy_folder, make_folder
from smallvision.records.layout import (
    FOLDS,
    RECIPE,
    SNAPSHOTS,
    STATUS,
    TUNE,
    is_finished,
    list_ends,
)
from smallvision.records.locks import LOCK
from smallvision.records.nofollow import exists
from smallvision.records.schema import ValidatedRun
from smallvision.runs.finished_run import find_judged, find_validated
from smallvision.runs.job import Job, TrainingSplit
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import run_recipe, write_recipe
from smallvision.stats.paired import LEAST_DISCORDANT
from smallvision.study.context import StudyContext
from smallvision.study.folds import cross_validate
from smallvision.study.side_by_side import list_runs, list_snapshot_runs, train_apart
from smallvision.tuning.trials import bound_epochs
from smallvision.tuning.tune import FEWEST_TRIALS, SearchOptions, best_recipe, tune_recipe

FLATTERED = "The settings of {} were chosen on these validation images, which flatters it."
FLATTERED_FOLD = (
    "The settings of {} were chosen on the validation images of fold 1 alone, which flatters it."
)


class NotWorthwhileError(Exception):
    """A rung is left out: there is no time for it, or nothing to win; the message says why."""


def train_rung(rung: Rung, context: StudyContext, _allowed: float = math.inf) -> ValidatedRun:
    """Train a rung's recipe, as often as was asked for, on every fold."""
    job = context.job_of(rung.name)
    train_apart(list_runs(rung, context), context)
    status = run_recipe(rung.recipe, job)
    cross_validate(partial(run_recipe, rung.recipe), job, context)
    if context.plan.seeds > 1 and rung.slot in context.ladder.repeated:
        repeat_run(rung.recipe, job, context.plan.seeds)
    return status


def tune_rung(rung: Rung, context: StudyContext, allowed: float = math.inf) -> ValidatedRun:
    """Search around a rung's recipe, then train the winner with a seed the search has not seen.

    The accuracy of the search's best trial is the luckiest of many; the fresh run is not. Where no
    trial beats the settings there are, there is nothing to train.
    """
    check_room(rung, context)
    folder = context.folder_of(rung.name)
    untuned = rung.recipe.model_copy(update={"name": rung.base})
    epochs = bound_epochs(untuned, round(untuned.epochs * TRIAL_SHARE))
    options = SearchOptions(trials=context.ladder.scale.trials, epochs=epochs)
    if math.isfinite(allowed):
        base = context.folder_of(rung.base)
        fresh_run = expect_training(base, untuned.epochs, context) * context.rounds
        searching = allowed - fresh_run
        is_begun = exists(folder / "tune" / TUNE)
        if not is_begun and searching < expect_training(base, FEWEST_TRIALS * epochs, context):
            raise NotWorthwhileError(f"left out: a search around {rung.base} would take too long.")
        options = replace(options, budget_seconds=max(searching, 1.0))
    search = tune_recipe(untuned, context.job.at(make_folder(folder) / "tune"), options)
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


def check_room(rung: Rung, context: StudyContext) -> None:
    """Leave a rung out whose base makes too few errors for any gain to be told from chance.

    A rung that was named is trained all the same, and so is every one where no budget decides.

    Raises:
        NotWorthwhileError: it is left out.
    """
    if context.budget is None or context.plan.rungs:
        return
    val = find_judged(context.folder_of(rung.base)).val
    errors = round((1 - val.accuracy) * val.n)
    if errors < LEAST_DISCORDANT:
        raise NotWorthwhileError(
            f"left out: {rung.base} is wrong on {errors} of {val.n:,} validation images, too few "
            "for a gain to be told from chance. --rungs trains it all the same."
        )


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


def expect_training(base: Path, epochs: int, context: StudyContext) -> float:
    """About how many seconds so many epochs of a finished run take, measuring included."""
    speed, passes = find_validated(base)[1].images_per_second, read_run_recipe(base).passes
    images = epochs * passes * len(context.job.split.train)
    return 1.1 * images / speed if speed else 0.0


def fit_cycles(rung: Rung, context: StudyContext, allowed: float) -> Recipe:
    """The recipe of a run with as many cycles as there is time for; a run that was begun keeps its.

    Raises:
        NotWorthwhileError: there is no time for one more cycle.
    """
    begun, base = context.folder_of(rung.name) / SNAPSHOTS, context.folder_of(rung.base)
    if exists(begun / RECIPE):
        return read_run_recipe(begun)
    shorter, longest = read_done(base), context.ladder.scale.snapshots
    for cycles in range(longest, 1, -1):
        longer = add_cycles(shorter, cycles)
        seconds = expect_training(base, longer.epochs - shorter.epochs, context)
        if seconds * context.rounds <= allowed:
            return longer.model_copy(update={"name": "snapshots"})
    raise NotWorthwhileError(f"left out: another cycle of {rung.base} would take too long.")


def read_done(run: Path) -> Recipe:
    """The recipe of a finished run, as short as the run was where it ended early."""
    recipe, done = read_run_recipe(run), find_validated(run)[1].epochs_done
    if done >= recipe.epochs:
        return recipe
    schedule = recipe.schedule
    if isinstance(schedule, SgdrSettings | LinearSettings):
        ended = max(1, sum(end <= done for end in list_ends(run)))
        schedule = schedule.model_copy(update={"cycles": ended})
    return recipe.model_copy(update={"epochs": done, "schedule": schedule})


def ensemble_rung(rung: Rung, context: StudyContext, allowed: float = math.inf) -> ValidatedRun:
    """Train one run with warm restarts and average the models at its restarts, on every fold."""
    check_room(rung, context)
    job, base = context.job_of(rung.name), context.folder_of(rung.base)
    recipe = fit_cycles(rung, context, allowed)
    train_apart(list_snapshot_runs(recipe, base, job, context), context)
    status = average_snapshots(recipe, rung.name, base, job)

    def average_fold(fold: Job) -> ValidatedRun:
        return average_snapshots(recipe, rung.name, base / FOLDS / fold.folder.name, fold)

    cross_validate(average_fold, job, context)
    return status


def average_snapshots(recipe: Recipe, name: str, base: Path, job: Job) -> ValidatedRun:
    """The ensemble of a rung on one split.

    Its first cycles are those of the rung it builds on: where that one was trained here, it goes on
    from its end.

    Args:
        recipe: with several cycles.
        name: of the ensemble.
        base: folder of the rung that it builds on, trained on the same split.
        job: on the split, in the ensemble's folder.
    """
    if is_finished(job.folder):
        return find_validated(job.folder)[1]
    run_recipe(recipe, job.inside(SNAPSHOTS), TrainingSplit(warm_start=base))
    options = EnsembleOptions(members=3, name=name)  # three, as in the study of CIFAR-10
    return build_ensemble([job.folder / SNAPSHOTS], job, options)


WORK: dict[str, Callable[[Rung, StudyContext, float], ValidatedRun]] = {
    "train": train_rung,
    "tune": tune_rung,
    "ensemble": ensemble_rung,
}
