"""Tuning: better settings for a recipe, searched on validation in short trials."""

from __future__ import annotations

import hashlib
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

from torch import Tensor

from smallvision.compute.environment import describe_environment
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.format import format_duration, format_percent
from smallvision.recipes import Recipe, override, read_recipe, read_run_recipe
from smallvision.recipes.keys import list_keys
from smallvision.recipes.search_space import (
    Dimension,
    Values,
    apply_values,
    build_space,
    read_values,
    spell_value,
)
from smallvision.recipes.settings.recipe import TeacherSettings
from smallvision.recipes.toml import write_toml
from smallvision.records.files import make_folder, read_json, read_jsonl, write_json, write_text
from smallvision.records.layout import METRICS, STATUS, TUNE
from smallvision.runs.progress import Narrator, Silence
from smallvision.runs.run_data import check_split
from smallvision.runs.train import run_recipe
from smallvision.training import EpochRecord, Plan, PrunedError, State
from smallvision.tuning.search import PRUNER, SAMPLER, STARTUP_TRIALS, Attempt, open_search

FEWEST_TRIALS = 2  # the recipe's own settings, and one to compare them with
# Settings that came after searches were first kept, and what held before: they count in the name
# of a search only where they differ, so that searches of earlier versions are found again.
# A schedule's `cycles` came later to the linear one alone.
ADDED = {
    ("nonfinite",): "stop",
    ("model", "extra_convs"): 0,
    ("teacher",): TeacherSettings().model_dump(),
    ("schedule=linear", "cycles"): 1,
}


def tune_recipe(
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    *,
    trials: int = 12,
    budget_seconds: float | None = None,
    epochs: int | None = None,
    storage: str | None = None,
    narrator: Narrator | None = None,
) -> dict[str, Any]:
    """Search better settings for a recipe, or go on with a search.

    The first trial has the recipe's own settings. A trial that falls behind is pruned, one that
    diverges is entered as failed; neither ends the search. What was found is on disk after every
    trial, and a kill loses nothing but the epoch under way.

    Args:
        recipe: where to start from; its seed is that of every trial and of the sampler.
        dataset: whose training images.
        split: trials fit its `train` and are judged on its `val`.
        folder: of the tuning; made if missing.
        trials: to finish, those of earlier sittings included; at least 2.
        budget_seconds: end before a trial that would take the sum of all trials beyond this;
            two trials are made whatever it says.
        epochs: of a trial, over which the schedule is laid; by default a third of the recipe's.
        storage: an Optuna storage URL; by default a SQLite file in the folder.
        narrator: told the space and every trial.

    Returns: the content of `tune.json`.

    Raises:
        SettingError: too few trials, or a storage that cannot be used.
        RecordError: the folder belongs to another search, or cannot be written.

    Source: TPE (Bergstra et al., NeurIPS 2011) and successive halving (Li et al., MLSys 2020), by
    Optuna.
    """
    if trials < FEWEST_TRIALS:
        raise SettingError(f"a search of {trials} trials finds nothing; ask for at least 2")
    narrator = narrator or Silence()
    epochs = epochs or default_epochs(recipe)
    space = build_space(recipe)
    own = read_values(recipe, [dimension.key for dimension in space])
    record = open_tuning(folder, recipe, dataset, split, space, epochs)
    record |= {"trials_asked": trials, "budget_seconds": budget_seconds}
    with open_search(
        folder,
        storage,
        name=name_search(recipe, split, record),
        space=space,
        own=own,
        seed=recipe.seed,
        epochs=epochs,
    ) as search:
        finished, known = search.finished(), record["trials"]
        if len(finished) < len(known):
            raise RecordError(
                f"{folder / TUNE} lists {len(known)} trials, of which the storage holds "
                f"{len(finished)}; name the same --storage, or another folder with --out"
            )
        record |= summarize_trials(finished)
        for ended in record["trials"]:  # a kill may have come before their weights were discarded
            discard_weights(place_trial(folder, ended["number"]))
        for line in phrase_space(recipe, record, space, own):
            narrator.say(line)
        while (end := reason_to_end(record)) is None:
            trial = search.next_trial()
            short = shorten(apply_values(recipe, trial.values), epochs)
            run = place_trial(folder, trial.number)
            narrator.begin_trial()
            outcome = run_trial(trial, short, dataset, split, run)
            search.finish(trial, outcome)
            discard_weights(run)
            record |= summarize_trials(search.finished())
            write_json(folder / TUNE, record)
            told = {"number": trial.number, "values": trial.values, **outcome}
            narrator.say(phrase_trial(told, split))
        record["importance"] = search.weigh()
    rerun = record["rerun"]
    if rerun is not None and rerun["trial"] != (record["best"] or {}).get("number"):
        record["rerun"] = None  # it was of an earlier winner
    write_json(folder / TUNE, record)
    narrator.say(f"The search ended: {end}.")
    if record["best"] is not None:
        tuned = override(best_recipe(recipe, record), [f"name={name_tuned(recipe)}"])
        write_text(folder / "tuned.toml", write_toml(tuned.plain()))
    return record


def best_recipe(recipe: Recipe, record: dict[str, Any]) -> Recipe:
    """A recipe with the values of the best trial of its tuning.

    Args:
        recipe: the one that was tuned.
        record: content of its `tune.json`.

    Raises:
        FailedRunError: no trial ran to the end.
    """
    if record["best"] is None:
        notes = [trial["note"] for trial in record["trials"] if trial["note"]]
        raise FailedRunError(f"no trial of '{recipe.name}' ran to the end; the last: {notes[-1]}")
    return apply_values(recipe, record["best"]["values"])


def name_tuned(recipe: Recipe) -> str:
    """What the recipe with the winner's values is called."""
    return f"{recipe.name[:94]}-tuned"  # a name has at most 100 letters


def default_epochs(recipe: Recipe) -> int:
    """A third of the recipe's epochs, at least 2 where it has as many."""
    return bound_epochs(recipe, recipe.epochs // 3)


def bound_epochs(recipe: Recipe, epochs: int) -> int:
    """Epochs of a trial: at least 2, so that pruning has a choice, at most the recipe's."""
    return min(recipe.epochs, max(2, epochs))


def place_trial(folder: Path, number: int) -> Path:
    """The run folder of a trial."""
    return folder / "trials" / f"{number:03d}"


def shorten(recipe: Recipe, epochs: int) -> Recipe:
    """The recipe of a trial: fewer epochs, a warm-up in proportion, and no needless weights."""
    settings = [f"epochs={epochs}", "checkpoints=best"]
    if "schedule.warmup_epochs" in list_keys(recipe.plain()):
        warmup = read_values(recipe, ["schedule.warmup_epochs"])["schedule.warmup_epochs"]
        settings.append(f"schedule.warmup_epochs={warmup * epochs / recipe.epochs!r}")
    return override(recipe, settings)


def open_tuning(
    folder: Path,
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    space: tuple[Dimension, ...],
    epochs: int,
) -> dict[str, Any]:
    """Write what a search is about, or check that the folder is about just that.

    Returns: the content of `tune.json` so far.

    Raises:
        RecordError: the folder was made for another search.
    """
    make_folder(folder)
    fresh: dict[str, Any] = {
        "schema": 1,
        "recipe": recipe.name,
        "metric": "val_accuracy",
        "epochs": epochs,
        "trials_asked": 0,
        "budget_seconds": None,
        "sampler": SAMPLER,
        "startup_trials": STARTUP_TRIALS,
        "pruner": PRUNER,
        "space": [dimension.record() for dimension in space],
        "trials": [],
        "best": None,
        "importance": {},
        "rerun": None,
    }
    if not (folder / TUNE).exists():
        # The marker comes first: a kill in what follows leaves a folder that can be resumed.
        write_json(folder / TUNE, fresh)
    elif not is_tuning_of(folder, recipe, epochs):
        raise RecordError(
            f"{folder} was made with other settings; use the same ones to go on, "
            "or name another folder with --out"
        )
    write_text(folder / "recipe.toml", write_toml(recipe.plain()))
    check_split(folder, dataset, split)
    write_json(folder / "environment.json", describe_environment())
    return read_json(folder / TUNE)


def is_tuning_of(folder: Path, recipe: Recipe, epochs: int) -> bool:
    """Whether a folder holds a search for this recipe in trials of this length.

    Raises:
        RecordError: its record is damaged.
    """
    if not (folder / TUNE).exists():
        return False
    record = read_json(folder / TUNE)
    space = [dimension.record() for dimension in build_space(recipe)]
    same = (record["recipe"], record["epochs"], record["space"]) == (recipe.name, epochs, space)
    written = folder / "recipe.toml"
    # Without one, a kill came right after the record: there is nothing yet but the question.
    return same and (not written.exists() or read_recipe(written) == recipe)


def drop_added(values: dict[str, Any]) -> dict[str, Any]:
    """The plain values of a recipe, without later settings that are as they were before."""
    for (*tables, name), before in ADDED.items():
        place = values
        for table in tables:
            key, _, kind = table.partition("=")
            place = place[key] if not kind or place[key]["name"] == kind else {}
        if place.get(name) == before:
            del place[name]
    return values


def name_search(recipe: Recipe, split: Split, record: dict[str, Any]) -> str:
    """A name that is the same exactly for the same recipe, length of trials, space and images."""
    question = (drop_added(recipe.plain()), record["epochs"], record["space"])
    digest = hashlib.sha256(repr(question).encode())
    digest.update(split.train.tobytes() + split.val.tobytes())
    return f"{recipe.name}-{digest.hexdigest()[:16]}"


class Reporter:
    """Reports every epoch to the search, and gives up a trial that has fallen behind."""

    def __init__(self, trial: Attempt, run: Path) -> None:
        self.trial = trial
        self.run = run
        self.best = 0.0
        self.epochs = 0

    def on_start(self, _plan: Plan) -> None:
        """Report what an earlier sitting measured and could not report."""
        for line in read_metrics(self.run):
            self.report(line["epoch"], line["val_accuracy"])

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Steps are not reported."""

    def on_epoch(self, record: EpochRecord, state: State) -> None:
        """Report; ask whether it is worth going on, unless it was the last epoch.

        Raises:
            PrunedError: it is not.
        """
        assert record.val_accuracy is not None, "a trial is judged on validation images"
        self.report(record.epoch, record.val_accuracy)
        if not state.stopped and self.trial.should_stop():
            raise PrunedError(f"given up after epoch {record.epoch}: other trials were ahead")

    def report(self, epoch: int, accuracy: float) -> None:
        """Keep the best accuracy so far, and tell the search."""
        self.epochs, self.best = epoch, max(self.best, accuracy)
        self.trial.report(epoch, accuracy)


def run_trial(
    trial: Attempt, recipe: Recipe, dataset: DataSet, split: Split, run: Path
) -> dict[str, Any]:
    """Train one trial in a run folder of its own, or go on with it.

    Returns: how it ended, as `tune.json` says it.
    """
    if (ended := recall_pruned(recipe, run)) is not None:
        return ended
    began = time.perf_counter() - spent_on(run)
    reporter = Reporter(trial, run)
    try:
        status = run_recipe(recipe, dataset, split, run, watchers=[reporter])
        ended = {"state": "complete", "accuracy": status["val"]["accuracy"], "note": None}
        reporter.epochs = status["epochs_done"]
    except PrunedError as error:
        ended = {"state": "pruned", "accuracy": reporter.best, "note": str(error)}
    except FailedRunError as error:
        ended = {"state": "failed", "accuracy": None, "note": str(error)}
    return {**ended, "epochs": reporter.epochs, "seconds": time.perf_counter() - began}


def recall_pruned(recipe: Recipe, run: Path) -> dict[str, Any] | None:
    """How a trial ended that was given up just before a kill, which kept it from the search.

    The pruner asks at every rung once, so that trained on it would be past the rung it lost.
    """
    status = read_json(run / STATUS) if (run / STATUS).exists() else {}
    if status.get("status") != "pruned" or read_run_recipe(run) != recipe:
        return None
    lines = read_metrics(run)
    return {
        "state": "pruned",
        "accuracy": max(line["val_accuracy"] for line in lines),
        "note": status["error"],
        "epochs": lines[-1]["epoch"],
        "seconds": spent_on(run),
    }


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """The epochs of a trial that earlier sittings finished."""
    return read_jsonl(run / METRICS) if (run / METRICS).exists() else []


def spent_on(run: Path) -> float:
    """Seconds that earlier sittings trained a trial, which the budget counts too."""
    return max((float(line["seconds"]) for line in read_metrics(run)), default=0.0)


def discard_weights(run: Path) -> None:
    """Remove the weights of a finished trial; its records stay."""
    for name in ("checkpoints", "model"):
        shutil.rmtree(run / name, ignore_errors=True)


def summarize_trials(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """The trials and the best of them, the first of equals."""
    complete = [trial for trial in trials if trial["state"] == "complete"]
    best = max(complete, key=lambda trial: (trial["accuracy"], -trial["number"]), default=None)
    return {
        "trials": trials,
        "best": best and {key: best[key] for key in ("number", "values", "accuracy")},
    }


def reason_to_end(record: dict[str, Any]) -> str | None:
    """Why the search ends before another trial, or None."""
    trials, budget = record["trials"], record["budget_seconds"]
    if len(trials) >= record["trials_asked"]:
        return f"{len(trials)} trials are finished"
    if budget is None or len(trials) < FEWEST_TRIALS:
        return None
    seconds = [trial["seconds"] for trial in trials]
    whole = [trial["seconds"] for trial in trials if trial["state"] == "complete"]
    if sum(seconds) + statistics.mean(whole or seconds) <= budget:
        return None
    return f"after {len(trials)} trials another would exceed {format_duration(budget)}"


def phrase_space(
    recipe: Recipe, record: dict[str, Any], space: tuple[Dimension, ...], own: Values
) -> list[str]:
    """What is searched, one line a setting."""
    within = f" within {format_duration(record['budget_seconds'])}"
    done = f"; {len(record['trials'])} are finished" if record["trials"] else ""
    return [
        f"Tuning {recipe.name}: up to {record['trials_asked']} trials of {record['epochs']} epochs"
        f"{within if record['budget_seconds'] is not None else ''}{done}.",
        *(f"  {d.key:<24}{d!s:<32}now {spell_value(own[d.key])}" for d in space),
    ]


def phrase_trial(trial: dict[str, Any], split: Split) -> str:
    """A trial in one line."""
    values = "  ".join(
        f"{key.rpartition('.')[2]} {spell_value(value)}" for key, value in trial["values"].items()
    )
    return (
        f"trial {trial['number']:>3}  {format_percent(trial['accuracy'], len(split.val)):>8}  "
        f"{trial['state']:<8}  {format_duration(trial['seconds']):>8}  {values}"
    )
