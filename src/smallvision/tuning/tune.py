"""Tuning: better settings for a recipe, searched on validation in short trials."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from smallvision.compute.environment import describe_environment
from smallvision.data.split import Split
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.format import format_duration, format_percent
from smallvision.recipes import Recipe, override, read_own_recipe
from smallvision.recipes.search_space import apply_values, build_space, read_values, spell_value
from smallvision.recipes.toml import write_toml
from smallvision.records import store
from smallvision.records.files import make_folder, write_text
from smallvision.records.layout import ENVIRONMENT, RECIPE, TUNE
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    BestTrial,
    SettingValues,
    TrialRecord,
    TuningRecord,
)
from smallvision.records.schema.measures import GOAL_OF_METRIC
from smallvision.records.schema.tuning import MOST_TRIALS
from smallvision.runs.job import Job
from smallvision.runs.run_data import check_split
from smallvision.tuning.agreement import Agreement
from smallvision.tuning.search import (
    PRUNER,
    SAMPLER,
    STARTUP_TRIALS,
    Attempt,
    LostTrialError,
    Search,
    open_search,
)
from smallvision.tuning.sharing import POLL
from smallvision.tuning.storage import DATABASE
from smallvision.tuning.trials import (
    default_epochs,
    discard_weights,
    run_trial,
    shorten_trial,
    trial_folder,
)

LATER_SETTINGS = ("metric", "class_weights", "sampling")
ENDS = {"complete": "to its end", "pruned": "ended early", "failed": "failed"}
FEWEST_TRIALS = 2  # the recipe's own settings, and one to compare them with


@dataclass(frozen=True)
class SearchOptions:
    """How long and where a search goes.

    Attributes:
        trials: to finish, those of earlier sessions included; at least 2.
        budget_seconds: end before a trial that would take the sum of all trials beyond this;
            two trials are made whatever it says.
        epochs: of a trial, over which the schedule is laid; by default a third of the recipe's.
        storage: an Optuna storage URL; by default a SQLite file in the folder.
    """

    trials: int = 12
    budget_seconds: float | None = None
    epochs: int | None = None
    storage: str | None = None


def tune_recipe(recipe: Recipe, job: Job, options: SearchOptions) -> TuningRecord:
    """Search better settings for a recipe, or go on with a search.

    The first trial has the recipe's own settings. A trial that falls behind is pruned, one that
    diverges is entered as failed; neither ends the search. What was found is on disk after every
    trial, and a kill loses nothing but the epoch under way.

    Args:
        recipe: where to start from; its seed is that of every trial and of the sampler.
        job: trials fit its training split and are judged on its validation split; its folder is
            made if missing.
        options: how long and where.

    Returns: the content of `tune.json`.

    Raises:
        SettingError: too few trials, or a storage that cannot be used.
        RecordError: the folder belongs to another search, cannot be written, or its record, its
            storage and the runs of its trials disagree.

    Source: TPE (Bergstra et al., NeurIPS 2011) and successive halving (Li et al., MLSys 2020), by
    Optuna.
    """
    if options.trials < FEWEST_TRIALS:
        raise SettingError(f"a search of {options.trials} trials finds nothing; ask for at least 2")
    if options.trials > MOST_TRIALS:
        raise SettingError(f"trials is {options.trials:,}; expected at most {MOST_TRIALS:,}")
    epochs = options.epochs or default_epochs(recipe)
    path = job.folder / TUNE
    record = open_tuning(recipe, job, epochs).change(
        trials_asked=options.trials, budget_seconds=options.budget_seconds
    )
    with open_own_search(recipe, job, record, options.storage) as search:
        agreement = Agreement(job.folder, search.place)
        ended = search.finished()
        agreement.check_record(record, ended)
        ours = [trial for trial in ended if trial.worker == search.worker]
        agreement.check_runs(
            ours,
            [shorten_trial(apply_values(recipe, trial.record.values), epochs) for trial in ours],
            may_lack={trial.number for trial in record.trials},
        )
        record = with_trials(record, [trial.record for trial in ended])
        for known in record.trials:  # a kill may have come before their weights were discarded
            discard_weights(trial_folder(job.folder, known.number))
        for line in describe_space(record, search.own):
            job.callback.on_message(line)

        def look_again() -> TuningRecord:
            found = search.finished()
            agreement.check_record(record, found)
            changed = with_trials(record, [one.record for one in found])
            store.write(path, changed)
            return changed

        others = Others(search, job)
        while (end := reason_to_end(record)) is None:
            trial = search.next_trial(options.trials)
            if trial is None:
                others.wait()
                record = look_again()
                continue
            make_trial(trial, search, recipe, epochs, job)
            record = look_again()
            for told in record.trials:  # where others gave it up, it is not among them
                if told.number == trial.number:
                    job.callback.on_message(describe_trial(told, len(job.split.val)))
        while others.wait():
            record = look_again()
        record = record.change(importance=search.measure_importance())
    best, rerun = record.best, record.rerun
    if rerun is not None and (best is None or rerun.trial != best.number):
        record = record.change(rerun=None)  # it was of an earlier winner
    store.write(path, record)
    job.callback.on_message(f"The search ended: {end}.")
    if best is not None:
        tuned = override(best_recipe(recipe, record), [f"name={name_tuned(recipe)}"])
        write_text(job.folder / "tuned.toml", write_toml(tuned.plain()))
    return record


def open_own_search(
    recipe: Recipe, job: Job, record: TuningRecord, storage: str | None
) -> AbstractContextManager[Search]:
    """The search that a tuning is about, in its storage; see `open_search`."""
    return open_search(
        job.folder,
        storage,
        name=name_search(recipe, job.split, record),
        space=record.space,
        own=read_values(recipe, [dimension.key for dimension in record.space]),
        seed=recipe.seed,
        epochs=record.epochs,
    )


def make_trial(trial: Attempt, search: Search, recipe: Recipe, epochs: int, job: Job) -> None:
    """Train a trial and enter how it ended, unless other workers gave it up meanwhile."""
    run = trial_folder(job.folder, trial.number)
    job.callback.on_trial_start(trial.number)
    short = shorten_trial(apply_values(recipe, trial.values), epochs)
    try:
        with search.at_work(trial):
            search.finish(trial, run_trial(trial, short, job.at(run)))
    except LostTrialError as error:
        job.callback.on_message(f"{error}.")
    discard_weights(run)


class Others:
    """The other workers of a search, where it has any.

    Args:
        search: that they share.
        job: whose callback is told when we wait for them.
    """

    def __init__(self, search: Search, job: Job) -> None:
        self.search, self.job, self.told = search, job, 0

    def wait(self) -> bool:
        """Wait a little if they are at work on trials; returns whether they were."""
        left = self.search.count_others() if self.search.is_shared else 0
        if left and left != self.told:
            what = "a trial" if left == 1 else f"{left} trials"
            self.job.callback.on_message(f"Other workers are at work on {what}; waiting for them.")
            self.told = left
        if left:
            time.sleep(POLL)
        return bool(left)


def best_recipe(recipe: Recipe, record: TuningRecord) -> Recipe:
    """A recipe with the values of the best trial of its tuning.

    Args:
        recipe: the one that was tuned.
        record: of its tuning.

    Raises:
        FailedRunError: no trial ran to the end.
    """
    if record.best is None:
        notes = [trial.note for trial in record.trials if trial.note]
        raise FailedRunError(f"no trial of '{recipe.name}' ran to the end; the last: {notes[-1]}")
    return apply_values(recipe, record.best.values)


def name_tuned(recipe: Recipe) -> str:
    """What the recipe with the winner's values is called."""
    return f"{recipe.name[:94]}-tuned"  # a name has at most 100 letters


def open_tuning(recipe: Recipe, job: Job, epochs: int) -> TuningRecord:
    """Write what a search is about, or check that the folder is about just that.

    Returns: the record so far.

    Raises:
        RecordError: the folder was made for another search, or has lost its record.
    """
    folder = make_folder(job.folder)
    if not exists(folder / TUNE):
        if exists(folder / DATABASE):
            raise RecordError(
                f"{folder / TUNE} is missing, and {folder / DATABASE} is there; restore the first, "
                "or remove both and the trials to begin anew"
            )
        # The marker comes first: a kill in what follows leaves a folder that can be resumed.
        store.write(
            folder / TUNE,
            TuningRecord(
                recipe=recipe.name,
                metric=GOAL_OF_METRIC[recipe.metric],
                epochs=epochs,
                sampler=SAMPLER,
                startup_trials=STARTUP_TRIALS,
                pruner=PRUNER,
                space=build_space(recipe),
            ),
        )
    elif not is_tuning_of(folder, recipe, epochs):
        raise RecordError(
            f"{folder} was made with other settings; use the same ones to go on, "
            "or name another folder with --out"
        )
    write_text(folder / RECIPE, write_toml(recipe.plain()))
    check_split(folder, job.dataset, job.split)
    store.write(folder / ENVIRONMENT, describe_environment())
    return store.read(folder / TUNE, TuningRecord)


def is_tuning_of(folder: Path, recipe: Recipe, epochs: int) -> bool:
    """Whether a folder holds a search for this recipe in trials of this length.

    Raises:
        RecordError: its record is damaged.
    """
    record = store.read_if_there(folder / TUNE, TuningRecord)
    if record is None:
        return False
    asked = (recipe.name, epochs, build_space(recipe))
    same = (record.recipe, record.epochs, record.space) == asked
    written = folder / RECIPE
    # Without one, a kill came right after the record: there is nothing yet but the question.
    return same and (not exists(written) or read_own_recipe(written) == recipe)


def name_search(recipe: Recipe, split: Split, record: TuningRecord) -> str:
    """A name that is the same exactly for the same recipe, length of trials, space and images."""
    values, defaults = recipe.plain(), Recipe().plain()
    # Searches of before these settings have names without them.
    for key in LATER_SETTINGS:
        if values[key] == defaults[key]:
            del values[key]
    question = (values, record.epochs, record.space)
    digest = hashlib.sha256(repr(question).encode())
    digest.update(split.train.tobytes() + split.val.tobytes())
    return f"{recipe.name}-{digest.hexdigest()[:16]}"


def with_trials(record: TuningRecord, trials: Sequence[TrialRecord]) -> TuningRecord:
    """The record with these trials and the best of them, the first of equals."""
    complete = [trial for trial in trials if trial.state == "complete"]
    best = max(complete, key=lambda trial: (trial.accuracy, -trial.number), default=None)
    return record.change(
        trials=tuple(trials),
        best=best.extend(BestTrial) if best is not None else None,
    )


def reason_to_end(record: TuningRecord) -> str | None:
    """Why the search ends before another trial, or None."""
    trials, budget = record.trials, record.budget_seconds
    if len(trials) >= record.trials_asked:
        return f"{len(trials)} trials are finished"
    if budget is None or len(trials) < FEWEST_TRIALS:
        return None
    seconds = [trial.seconds for trial in trials]
    whole = [trial.seconds for trial in trials if trial.state == "complete"]
    if sum(seconds) + statistics.mean(whole or seconds) <= budget:
        return None
    return f"after {len(trials)} trials another would exceed {format_duration(budget)}"


def describe_space(record: TuningRecord, own: SettingValues) -> list[str]:
    """What is searched, one line a setting."""
    budget = record.budget_seconds
    within = f" within {format_duration(budget)}" if budget is not None else ""
    done = f"; {len(record.trials)} are finished" if record.trials else ""
    return [
        f"Tuning {record.recipe}: up to {record.trials_asked} trials of {record.epochs} epochs"
        f"{within}{done}.",
        *(f"  {d.key:<24}{d!s:<30}recipe {spell_value(own[d.key])}" for d in record.space),
    ]


def describe_trial(trial: TrialRecord, num_val: int) -> str:
    """A trial in one line."""
    values = "  ".join(
        f"{key.rpartition('.')[2]} {spell_value(value)}" for key, value in trial.values.items()
    )
    return (
        f"trial {trial.number:>3}  {format_percent(trial.accuracy, num_val):>8}  "
        f"{ENDS[trial.state]:<11}  {format_duration(trial.seconds):>8}  {values}"
    )
