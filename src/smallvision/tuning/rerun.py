"""The rerun, which tells a gain from the chance of the best of many trials."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from smallvision.comparison.verdicts import read_correct
from smallvision.errors import FailedRunError
from smallvision.format import (
    METRIC_WORDS,
    format_p,
    format_percent,
    format_points,
    format_signed_span,
    join_words,
)
from smallvision.recipes import Recipe, override, read_run_recipe
from smallvision.records import store
from smallvision.records.layout import RECIPE, TUNE, is_finished
from smallvision.records.nofollow import exists, list_folder, remove_folder
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import (
    ClassMeansDifference,
    MetricName,
    RerunRecord,
    TuningRecord,
)
from smallvision.runs.job import Job
from smallvision.runs.train import run_recipe
from smallvision.stats.bootstrap import Answers, compare_class_means
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.paired import Correct
from smallvision.stats.seeds import compare_answers
from smallvision.tuning.sharing import POLL
from smallvision.tuning.tune import best_recipe, name_tuned, open_own_search


def rerun_winner(
    recipe: Recipe, job: Job, record: TuningRecord, *, seeds: int = 2, storage: str | None = None
) -> TuningRecord:
    """Train winner and untuned recipe at full length with seeds that the search never saw.

    The best of N trials is flattered: it was chosen for its score, chance included. Fresh seeds
    take the chance of weights and order away. The validation images remain those the search chose
    on, so a part of it remains; only the test set is free of it.

    Args:
        recipe: the one that was tuned.
        job: that of the search; the runs go to `rerun/` in its folder, where finished ones are
            kept.
        record: of the tuning.
        seeds: how many; they follow the recipe's own. Those that an earlier call finished for this
            winner are counted whatever `seeds` says: nobody may choose among them.
        storage: of the search; of the workers that share it, one makes the rerun for all.

    Returns: the record with its `rerun`, as written to `tune.json`.

    Raises:
        FailedRunError: no trial ran to the end.
        RecordError: the folder cannot be written.
    """
    winner = override(best_recipe(recipe, record), [f"name={name_tuned(recipe)}"])
    assert record.best is not None, "best_recipe raises without one"
    if record.best.number == 0:
        tried = len(record.trials) - 1
        sentence = (
            f"Tuning found nothing better than the recipe's own settings in {tried} other "
            f"{'trial' if tried == 1 else 'trials'}."
        )
        rerun = RerunRecord(trial=0, sentence=sentence)
    else:
        with open_own_search(recipe, job, record, storage) as search:
            rerun = search.make_once(
                f"rerun-{record.best.number}",
                lambda: run_pairs(winner, recipe, job, record, seeds),
                RerunRecord,
                RerunElsewhere(job).wait,
            )
    record = record.change(rerun=rerun)
    store.write(job.folder / TUNE, record)
    return record


def run_pairs(
    winner: Recipe, recipe: Recipe, job: Job, record: TuningRecord, seeds: int
) -> RerunRecord:
    """Train the winner and the untuned recipe with each seed, and compare them."""
    assert record.best is not None, "there is a winner"
    asked = {(recipe.seed + k) % 2**31 for k in range(1, seeds + 1)}
    numbers = sorted(asked | finished_seeds(winner, recipe, job.folder))
    rerun = RerunRecord(trial=record.best.number, seeds=tuple(numbers), sentence="")
    try:
        # Seed by seed, so that a kill leaves whole pairs.
        pairs = [
            (run_again("tuned", winner, seed, job), run_again("untuned", recipe, seed, job))
            for seed in numbers
        ]
    except FailedRunError as error:
        return rerun.change(sentence=f"The winner could not be compared at full length: {error}")
    tuned, untuned = (
        np.stack([read_correct(run)[1] for run in runs]) for runs in zip(*pairs, strict=True)
    )
    rerun = judge_rerun(rerun, tuned, untuned)
    sentence = describe_rerun(rerun, len(record.trials), len(job.split.val))
    if recipe.metric != "accuracy":
        rerun = rerun.change(by_class=compare_by_class(pairs))
        sentence = f"{sentence} {describe_metric(rerun, recipe.metric)}"
    return rerun.change(sentence=sentence)


class RerunElsewhere:
    """A rerun that another worker makes.

    Args:
        job: whose callback is told of it.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.is_told = job, False

    def wait(self) -> None:
        """Wait a little, and say so the first time."""
        if not self.is_told:
            self.job.callback.on_message("Another worker runs the winner again; waiting for it.")
            self.is_told = True
        time.sleep(POLL)


def finished_seeds(winner: Recipe, recipe: Recipe, folder: Path) -> set[int]:
    """The seeds with which this winner and the untuned recipe both ran to the end."""
    kept = (name.removeprefix("tuned-") for name in list_folder(folder / "rerun"))
    return {
        seed
        for seed in map(int, filter(str.isdecimal, kept))
        if is_run_of(folder / "rerun" / f"tuned-{seed}", winner, seed)
        and is_run_of(folder / "rerun" / f"untuned-{seed}", recipe, seed)
    }


def is_run_of(run: Path, base: Recipe, seed: int) -> bool:
    """Whether a folder holds a finished run of a recipe with a seed."""
    if not exists(run / RECIPE) or not is_finished(run):
        return False
    return read_run_recipe(run) == override(base, [f"seed={seed}"])


def compare_by_class(pairs: Sequence[tuple[Path, Path]]) -> ClassMeansDifference:
    """The difference of the tuned and untuned runs with every class counted alike."""
    sides = []
    for runs in zip(*pairs, strict=True):
        found = [read_predictions(run) for run in runs]
        predicted = np.stack([one.probabilities.argmax(axis=1) for one in found])
        sides.append(Answers(predicted, found[0].labels))
    return compare_class_means(*sides)


def describe_metric(rerun: RerunRecord, metric: MetricName) -> str:
    """The difference in the figure that the search maximised, in a sentence."""
    assert rerun.by_class is not None, "it was compared"
    difference, interval = rerun.by_class.estimate(metric)
    return (
        f"In {METRIC_WORDS[metric]}, which the search maximised, the tuned recipe differs by "
        f"{format_points(difference)} (95 % interval over images {format_signed_span(interval)})."
    )


def run_again(kind: str, base: Recipe, seed: int, job: Job) -> Path:
    """One run with another seed; returns its folder."""
    recipe, name = override(base, [f"seed={seed}"]), f"{kind}-{seed}"
    run = job.folder / "rerun" / name
    if exists(run / RECIPE) and read_run_recipe(run) != recipe:
        remove_folder(run)  # of a winner that a longer search has unseated
    job.callback.on_stage_start(name, f"Does the gain hold at full length with seed {seed}?")
    status = run_recipe(recipe, job.at(run))
    job.callback.on_stage_end(name, status)
    return run


def judge_rerun(rerun: RerunRecord, tuned: Correct, untuned: Correct) -> RerunRecord:
    """The difference over seeds and images, its interval and its p-value, as `compare` has them.

    Args:
        rerun: of these runs.
        tuned, untuned: bool `(S, N)`, whether the run of each seed was right on each image.
    """
    found = compare_answers(tuned, untuned)
    return rerun.change(
        tuned=tuple(tuned.mean(axis=1).tolist()),
        untuned=tuple(untuned.mean(axis=1).tolist()),
        difference=found.difference,
        interval=found.interval,
        p=found.p,
    )


def describe_rerun(rerun: RerunRecord, trials: int, n: int) -> str:
    """Whether the gain holds with fresh seeds, in a sentence.

    One seed can show that two networks differ, but not that two recipes do: seeds of equal
    recipes differ as well. Images are those that the search chose on, and their chance remains.

    Args:
        rerun: with its comparison.
        trials: number of trials of the search.
        n: validation images.
    """
    assert rerun.difference is not None, "it was compared"
    assert rerun.interval is not None, "it was compared"
    assert rerun.p is not None, "it was compared"
    difference, single = rerun.difference, len(rerun.seeds) == 1
    if rerun.p >= 1 - CONFIDENCE and difference > 0:
        verdict = f"which may be the luck of the best of {trials} trials"
    elif rerun.p >= 1 - CONFIDENCE:
        verdict = "so what the best of the trials gained there did not hold"
    elif single:
        better = "better" if difference > 0 else "worse"
        verdict = f"{better} on this one seed, which does not tell how other seeds would do"
    elif difference > 0:
        verdict = "the gain holds with fresh seeds, on the images that the search chose on"
    else:
        verdict = "the recipe's own settings are better at full length"
    seeds = join_words([str(seed) for seed in rerun.seeds])
    tuned, untuned = (
        format_percent(float(np.mean(side)), n) for side in (rerun.tuned, rerun.untuned)
    )
    return (
        f"At full length with fresh {'seed' if single else 'seeds'} {seeds}, the tuned recipe "
        f"reaches {tuned} on the validation images and the untuned {untuned}: "
        f"{format_points(difference, n)} (95 % interval {format_signed_span(rerun.interval, n)}; "
        f"{format_p(rerun.p)}), {verdict}."
    )
