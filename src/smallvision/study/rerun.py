"""The rerun, which tells a gain from the luck of the best of many."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import FailedRunError
from smallvision.randomness import derive_seed
from smallvision.recipes import Recipe, override, read_recipe
from smallvision.records.files import write_json
from smallvision.records.folder import TUNE
from smallvision.reporting.words import format_percent, format_points, format_signed, join_words
from smallvision.stats.bootstrap import bootstrap_difference
from smallvision.study.narration import Narrator, Silence
from smallvision.study.run import run_recipe
from smallvision.study.tuning import best_recipe, name_tuned
from smallvision.study.verdicts import read_correct


def rerun_winner(
    recipe: Recipe,
    dataset: DataSet,
    split: Split,
    folder: Path,
    record: dict[str, Any],
    *,
    seeds: int = 2,
    narrator: Narrator | None = None,
) -> dict[str, Any]:
    """Train winner and untuned recipe at full length with seeds that the search never saw.

    The best of N trials is flattered: it was chosen for its score, luck included. Fresh seeds take
    that of weights and order away. The validation images remain those the search chose on, so a
    remainder of its luck with them is left; only the test set is free of it.

    Args:
        recipe: the one that was tuned.
        dataset, split: as in the search.
        folder: of the tuning; the runs go to `rerun/`, where finished ones are kept.
        record: content of `tune.json`.
        seeds: how many; they follow the recipe's own.
        narrator: told of every run.

    Returns: the record with its `rerun`, as written to `tune.json`.

    Raises:
        FailedRunError: no trial ran to the end.
        RecordError: the folder cannot be written.
    """
    narrator = narrator or Silence()
    winner = override(best_recipe(recipe, record), [f"name={name_tuned(recipe)}"])
    number = record["best"]["number"]
    rerun: dict[str, Any] = {
        "trial": number,
        "seeds": [],
        "tuned": [],
        "untuned": [],
        "difference": None,
        "interval": None,
    }
    if number == 0:
        tried = len(record["trials"]) - 1
        rerun["sentence"] = (
            f"Tuning found nothing better than the recipe's own settings in {tried} other "
            f"{'trial' if tried == 1 else 'trials'}."
        )
    else:
        rerun["seeds"] = [(recipe.seed + k) % 2**31 for k in range(1, seeds + 1)]
        try:
            correct = {
                kind: np.stack(
                    [
                        run_again(kind, base, seed, dataset, split, folder, narrator)
                        for seed in rerun["seeds"]
                    ]
                )
                for kind, base in (("tuned", winner), ("untuned", recipe))
            }
        except FailedRunError as error:
            rerun["sentence"] = f"The winner could not be compared at full length: {error}"
        else:
            rerun |= compare_seeds(correct["tuned"], correct["untuned"], recipe.seed)
            rerun["sentence"] = phrase_rerun(rerun, len(record["trials"]), len(split.val))
    record = {**record, "rerun": rerun}
    write_json(folder / TUNE, record)
    return record


def run_again(
    kind: str,
    base: Recipe,
    seed: int,
    dataset: DataSet,
    split: Split,
    folder: Path,
    narrator: Narrator,
) -> npt.NDArray[np.bool_]:
    """One run with another seed; returns which validation images it got right, `(N,)`."""
    recipe = override(base, [f"seed={seed}"])
    run = folder / "rerun" / f"{kind}-{seed}"
    if (run / "recipe.toml").exists() and read_recipe(run / "recipe.toml") != recipe:
        shutil.rmtree(run)  # of a winner that a longer search has unseated
    question = f"Does the gain hold at full length with seed {seed}?"
    narrator.begin(f"{kind}-{seed}", question)
    status = run_recipe(recipe, dataset, split, run, watchers=narrator.watch_run())
    narrator.finish(f"{kind}-{seed}", status)
    return read_correct(run)[1]


def compare_seeds(
    tuned: npt.NDArray[np.bool_], untuned: npt.NDArray[np.bool_], seed: int
) -> dict[str, Any]:
    """The mean paired difference over seeds and images, with an interval over both.

    Args:
        tuned, untuned: bool `(S, N)`, whether the run of each seed was right on each image.
        seed: of the resampling.
    """
    return {
        "tuned": tuned.mean(axis=1).tolist(),
        "untuned": untuned.mean(axis=1).tolist(),
        "difference": float(tuned.mean() - untuned.mean()),
        "interval": list(bootstrap_difference(tuned, untuned, seed=derive_seed(seed, "rerun"))),
    }


def phrase_rerun(rerun: dict[str, Any], trials: int, n: int) -> str:
    """Whether the gain is real, in a sentence.

    Few seeds say little of the luck of seeds, so a gain is called real only if every seed shows it
    as well.
    """
    difference, (low, high) = rerun["difference"], rerun["interval"]
    signs = {np.sign(a - b) for a, b in zip(rerun["tuned"], rerun["untuned"], strict=True)}
    if low > 0 and signs == {1.0}:
        verdict = "the gain is real"
    elif high < 0 and signs == {-1.0}:
        verdict = "the recipe's own settings are better at full length"
    else:
        verdict = f"which may be the luck of the best of {trials} trials"
    seeds = join_words([str(seed) for seed in rerun["seeds"]])
    return (
        f"At full length with fresh {'seed' if len(rerun['seeds']) == 1 else 'seeds'} {seeds}, "
        f"the tuned recipe reaches {format_percent(float(np.mean(rerun['tuned'])), n)} on the "
        f"validation images and the untuned {format_percent(float(np.mean(rerun['untuned'])), n)}: "
        f"{format_points(difference, n)} (95 % interval {format_signed(low, n)} to "
        f"{format_signed(high, n)}), {verdict}."
    )
