"""The rerun, which tells a gain from the luck of the best of many."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.comparison.verdicts import read_correct
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.errors import FailedRunError
from smallvision.format import format_p, format_percent, format_points, format_signed, join_words
from smallvision.recipes import Recipe, override, read_run_recipe
from smallvision.records.files import read_json, write_json
from smallvision.records.layout import STATUS, TUNE
from smallvision.runs.progress import Narrator, Silence
from smallvision.runs.train import run_recipe
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.paired import Correct
from smallvision.stats.seeds import compare_answers
from smallvision.tuning.tune import best_recipe, name_tuned


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
        seeds: how many; they follow the recipe's own. Those that an earlier call finished for this
            winner are counted whatever `seeds` says: nobody may choose among them.
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
        "p": None,
    }
    if number == 0:
        tried = len(record["trials"]) - 1
        rerun["sentence"] = (
            f"Tuning found nothing better than the recipe's own settings in {tried} other "
            f"{'trial' if tried == 1 else 'trials'}."
        )
    else:
        asked = {(recipe.seed + k) % 2**31 for k in range(1, seeds + 1)}
        rerun["seeds"] = sorted(asked | find_finished(winner, recipe, folder))
        try:
            # Seed by seed, so that a kill leaves whole pairs.
            pairs = [
                [
                    run_again(kind, base, seed, dataset, split, folder, narrator)
                    for kind, base in (("tuned", winner), ("untuned", recipe))
                ]
                for seed in rerun["seeds"]
            ]
        except FailedRunError as error:
            rerun["sentence"] = f"The winner could not be compared at full length: {error}"
        else:
            tuned, untuned = (np.stack(runs) for runs in zip(*pairs, strict=True))
            rerun |= judge_rerun(tuned, untuned)
            rerun["sentence"] = phrase_rerun(rerun, len(record["trials"]), len(split.val))
    record = {**record, "rerun": rerun}
    write_json(folder / TUNE, record)
    return record


def find_finished(winner: Recipe, recipe: Recipe, folder: Path) -> set[int]:
    """The seeds with which this winner and the untuned recipe both ran to the end."""
    kept = (path.name.removeprefix("tuned-") for path in (folder / "rerun").glob("tuned-*"))
    return {
        seed
        for seed in map(int, filter(str.isdecimal, kept))
        if is_finished(folder / "rerun" / f"tuned-{seed}", winner, seed)
        and is_finished(folder / "rerun" / f"untuned-{seed}", recipe, seed)
    }


def is_finished(run: Path, base: Recipe, seed: int) -> bool:
    """Whether a folder holds a finished run of a recipe with a seed."""
    if not (run / "recipe.toml").exists() or read_json(run / STATUS)["status"] != "done":
        return False
    return read_run_recipe(run) == override(base, [f"seed={seed}"])


def run_again(
    kind: str,
    base: Recipe,
    seed: int,
    dataset: DataSet,
    split: Split,
    folder: Path,
    narrator: Narrator,
) -> Correct:
    """One run with another seed; returns which validation images it got right, `(N,)`."""
    recipe = override(base, [f"seed={seed}"])
    run = folder / "rerun" / f"{kind}-{seed}"
    if (run / "recipe.toml").exists() and read_run_recipe(run) != recipe:
        shutil.rmtree(run)  # of a winner that a longer search has unseated
    question = f"Does the gain hold at full length with seed {seed}?"
    narrator.begin(f"{kind}-{seed}", question)
    status = run_recipe(recipe, dataset, split, run, watchers=narrator.watch_run())
    narrator.finish(f"{kind}-{seed}", status)
    return read_correct(run)[1]


def judge_rerun(tuned: Correct, untuned: Correct) -> dict[str, Any]:
    """The difference over seeds and images, its interval and its p-value, as `compare` has them.

    Args:
        tuned, untuned: bool `(S, N)`, whether the run of each seed was right on each image.
    """
    found = compare_answers(tuned, untuned)
    return {
        "tuned": tuned.mean(axis=1).tolist(),
        "untuned": untuned.mean(axis=1).tolist(),
        "difference": found.difference,
        "interval": list(found.interval),
        "p": found.p,
    }


def phrase_rerun(rerun: dict[str, Any], trials: int, n: int) -> str:
    """Whether the gain holds with fresh seeds, in a sentence.

    One seed can show that two networks differ, but not that two recipes do: seeds of equal
    recipes differ as well. Images are those that the search chose on, and their luck remains.
    """
    difference, (low, high) = rerun["difference"], rerun["interval"]
    single = len(rerun["seeds"]) == 1
    if rerun["p"] >= 1 - CONFIDENCE and difference > 0:
        verdict = f"which may be the luck of the best of {trials} trials"
    elif rerun["p"] >= 1 - CONFIDENCE:
        verdict = "so what the best of the trials gained there did not hold"
    elif single:
        better = "better" if difference > 0 else "worse"
        verdict = f"{better} on this one seed, which does not tell how other seeds would do"
    elif difference > 0:
        verdict = "the gain holds with fresh seeds, on the images that the search chose on"
    else:
        verdict = "the recipe's own settings are better at full length"
    seeds = join_words([str(seed) for seed in rerun["seeds"]])
    return (
        f"At full length with fresh {'seed' if single else 'seeds'} {seeds}, "
        f"the tuned recipe reaches {format_percent(float(np.mean(rerun['tuned'])), n)} on the "
        f"validation images and the untuned {format_percent(float(np.mean(rerun['untuned'])), n)}: "
        f"{format_points(difference, n)} (95 % interval {format_signed(low, n)} to "
        f"{format_signed(high, n)}; {format_p(rerun['p'])}), {verdict}."
    )
