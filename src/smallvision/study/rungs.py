"""The work on a rung: trained, tuned first, or made an ensemble of one run's snapshots."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.recipes import Recipe, Rung, follow_seed, read_run_recipe
from smallvision.recipes.ladder import add_cycles
from smallvision.recipes.scale import TRIAL_SHARE
from smallvision.recipes.toml import sum_recipe
from smallvision.records import store
from smallvision.records.files import copy_folder, make_folder
from smallvision.records.layout import SNAPSHOTS, STATUS, TUNE, is_finished
from smallvision.records.locks import LOCK
from smallvision.records.nofollow import exists
from smallvision.records.schema import ValidatedRun
from smallvision.runs.finished_run import find_validated
from smallvision.runs.job import TrainingSplit
from smallvision.runs.repeats import repeat_run
from smallvision.runs.train import run_recipe, write_recipe
from smallvision.study.context import StudyContext
from smallvision.tuning.trials import bound_epochs
from smallvision.tuning.tune import FEWEST_TRIALS, SearchOptions, best_recipe, tune_recipe

FLATTERED = "The settings of {} were chosen on these validation images, which flatters it."


class NoTimeError(Exception):
    """A rung is left out, since the budget has no time for it; the message says why."""


def train_rung(rung: Rung, context: StudyContext, _allowed: float = math.inf) -> ValidatedRun:
    """Train a rung's recipe, as often as was asked for."""
    job = context.job_of(rung.name)
    status = run_recipe(rung.recipe, job)
    if context.plan.seeds > 1 and rung.slot in context.ladder.repeated:
        repeat_run(rung.recipe, job, context.plan.seeds)
    return status


def tune_rung(rung: Rung, context: StudyContext, allowed: float = math.inf) -> ValidatedRun:
    """Search around a rung's recipe, then train the winner with a seed the search has not seen.

    The accuracy of the search's best trial is the luckiest of many; the fresh run is not. Where no
    trial beats the settings there are, there is nothing to train.
    """
    folder = context.folder_of(rung.name)
    untuned = rung.recipe.model_copy(update={"name": rung.base})
    epochs = bound_epochs(untuned, round(untuned.epochs * TRIAL_SHARE))
    options = SearchOptions(trials=context.ladder.scale.trials, epochs=epochs)
    if math.isfinite(allowed):
        seconds = expect_epoch(context.folder_of(rung.base), context)
        searching = allowed - untuned.epochs * seconds  # what the fresh run leaves
        is_begun = exists(folder / "tune" / TUNE)
        if not is_begun and searching < FEWEST_TRIALS * epochs * seconds:
            raise NoTimeError(f"left out: a search around {rung.base} would take too long.")
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
        status = status.change(caveats=(FLATTERED.format(rung.name),))
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


def expect_epoch(base: Path, context: StudyContext) -> float:
    """About how many seconds an epoch of a finished run took, measuring included."""
    speed, passes = find_validated(base)[1].images_per_second, read_run_recipe(base).passes
    return 1.1 * passes * len(context.job.split.train) / speed if speed else 0.0


def choose_cycles(rung: Rung, context: StudyContext, allowed: float) -> Recipe:
    """The recipe of a run with as many cycles as there is time for; a run that was begun keeps its.

    Raises:
        NoTimeError: there is no time for one more cycle.
    """
    begun = context.folder_of(rung.name) / SNAPSHOTS
    if exists(begun / "recipe.toml"):
        return read_run_recipe(begun)
    if math.isinf(allowed):
        return rung.recipe.model_copy(update={"name": "snapshots"})
    base = read_run_recipe(context.folder_of(rung.base))
    seconds = expect_epoch(context.folder_of(rung.base), context)
    for cycles in range(context.ladder.scale.snapshots, 1, -1):
        longer = (
            rung.recipe if cycles == context.ladder.scale.snapshots else add_cycles(base, cycles)
        )
        if (longer.epochs - base.epochs) * seconds <= allowed:
            return longer.model_copy(update={"name": "snapshots"})
    raise NoTimeError(f"left out: another cycle of {rung.base} would take too long.")


def ensemble_rung(rung: Rung, context: StudyContext, allowed: float = math.inf) -> ValidatedRun:
    """Train one run with warm restarts and average the models at its restarts.

    Its first cycles are those of the rung it builds on: where that one was trained here, it goes on
    from its end.
    """
    folder = context.folder_of(rung.name)
    if is_finished(folder):
        return find_validated(folder)[1]
    recipe = choose_cycles(rung, context, allowed)
    warm_start = TrainingSplit(warm_start=context.folder_of(rung.base))
    run_recipe(recipe, context.job.at(folder / SNAPSHOTS), warm_start)
    options = EnsembleOptions(members=3, name=rung.name)  # three, as in the study of CIFAR-10
    return build_ensemble([folder / SNAPSHOTS], context.job.at(folder), options)


WORK: dict[str, Callable[[Rung, StudyContext, float], ValidatedRun]] = {
    "train": train_rung,
    "tune": tune_rung,
    "ensemble": ensemble_rung,
}
