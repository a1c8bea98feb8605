"""Any runs on one split, compared: seeds of a recipe gathered, all pairs tested and corrected."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.comparison.verdicts import is_adopted, is_done, read_correct, round_up
from smallvision.data.split import read_split_record
from smallvision.errors import RecordError
from smallvision.format import choose_digits, format_p
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.records.files import read_json
from smallvision.records.layout import STATUS, STUDY, list_failed, list_repeats, run_folder
from smallvision.runs.finished_run import find_finished
from smallvision.shapes import Labels
from smallvision.stats.bootstrap import bootstrap_difference
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.multiple import holm
from smallvision.stats.paired import Correct, Verdict, needed_images
from smallvision.stats.seeds import (
    compare_answers,
    compare_seeds,
    measure_variance,
    needed_for_seeds,
    summarize_seeds,
)

LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True, eq=False)
class Contender:
    """A finished run, as far as a comparison needs it.

    Attributes:
        folder: of the run.
        status: content of `status.json`.
        recipe: None for an ensemble, whose recipe is that of its members.
        indices: of the validation images.
        correct: whether it was right on each of them.
    """

    folder: Path
    status: dict[str, Any]
    recipe: Recipe | None
    indices: Labels
    correct: Correct


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one recipe with several seeds, or one run.

    Attributes:
        name: unique among the groups.
        runs: in the order given.
    """

    name: str
    runs: tuple[Contender, ...]

    @property
    def correct(self) -> Correct:
        """Which images each run got right, bool `(S, N)`."""
        return np.stack([run.correct for run in self.runs])

    @property
    def mean(self) -> float:
        """Mean accuracy over the runs."""
        return float(self.correct.mean())

    def record(self) -> dict[str, Any]:
        """An entry of `groups`."""
        accuracies = [run.status["val"]["accuracy"] for run in self.runs]
        std, interval = None, self.runs[0].status["val"]["interval"]
        if len(accuracies) > 1:
            summary = summarize_seeds(accuracies)
            std, interval = summary.std, list(summary.interval)
        return {
            "name": self.name,
            "runs": [str(run.folder) for run in self.runs],
            "seeds": [run.recipe.seed for run in self.runs if run.recipe is not None],
            "failed": [
                read_run_recipe(failed).seed
                for run in self.runs
                for failed in list_failed(run.folder)
            ],
            "accuracies": accuracies,
            "mean": self.mean,
            "std": std,
            "interval": interval,
        }


def compare_groups(folders: Sequence[str | Path]) -> dict[str, Any]:
    """Compare finished runs on the same validation images, all with all.

    Runs whose recipes differ in nothing but seed and name are one group; a run brings its repeats
    in `seeds/` along, a study all its finished rungs. Two groups of one run each are compared by
    the exact McNemar test, which speaks of these two networks; where there are several seeds, by
    Welch's test over seeds and images, which speaks of the recipes. The p-values of all pairs are
    corrected after Holm, and the verdicts rest on what is left.

    Args:
        folders: of runs, ensembles or studies.

    Returns: the groups, best mean accuracy first, and all pairs in that order; the interval of a
        group is Wilson's over images for one run, and Student's over seeds for several.

    Raises:
        RecordError: a folder is no finished run, two runs are not on one split, or one is given
            twice.
    """
    contenders = [read_contender(run) for run in gather_runs(folders)]
    if len(contenders) < 2:
        raise RecordError("a comparison needs two finished runs or more; name another one")
    for run in contenders[1:]:
        check_same_split(contenders[0], run)
    groups = sorted(group_runs(contenders), key=lambda group: -group.mean)
    pairs = list(combinations(groups, 2))
    tested = [weigh_pair(a, b) for a, b in pairs]
    adjusted = holm([p for _, p in tested])
    return {
        "schema": 1,
        "n": len(contenders[0].indices),
        "groups": [group.record() for group in groups],
        "pairs": [
            judge_groups(a, b, difference, p, float(p_holm), len(pairs))
            for (a, b), (difference, p), p_holm in zip(pairs, tested, adjusted, strict=True)
        ],
    }


def gather_runs(folders: Sequence[str | Path]) -> Iterator[Path]:
    """All runs that the given folders stand for.

    Raises:
        RecordError: a folder is given twice, or a study has no finished rung.
    """
    seen: set[Path] = set()
    for first in (run for folder in folders for run in expand_study(Path(folder))):
        for run in (first, *list_repeats(first)):
            if run.resolve() in seen:
                raise RecordError(
                    f"{run} is given twice; a study brings its rungs along and a run its repeats"
                )
            seen.add(run.resolve())
            yield run


def expand_study(folder: Path) -> list[Path]:
    """The finished rungs of a study, each run once, or the folder itself where it is none."""
    if not (folder / STUDY).exists():
        return [folder]
    rungs = read_json(folder / STUDY)["rungs"]
    runs = [run_folder(folder, rung["name"]) for rung in rungs if is_done(rung)]
    if not runs:
        raise RecordError(f"{folder} has no finished rung to compare")
    return [run for run in runs if not is_adopted(read_json(run / STATUS))]


def read_contender(folder: Path) -> Contender:
    """Read what a comparison needs of a run.

    Raises:
        RecordError: it is no run, unfinished or damaged.
    """
    _, status = find_finished(folder)
    ensemble = status.get("kind") == "ensemble"
    recipe = None if ensemble else read_run_recipe(folder)
    return Contender(folder, status, recipe, *read_correct(folder))


def check_same_split(run: Contender, other: Contender) -> None:
    """Refuse to compare runs that were not validated on the same images.

    Raises:
        RecordError: the data sets or the validation images differ; the message names both runs.
    """
    splits = [read_split_record(each.folder) for each in (run, other)]
    if len({(split.data_fingerprint, split.val_fingerprint) for split in splits}) > 1:
        raise RecordError(f"{run.folder} and {other.folder} were made on different data sets")
    if not np.array_equal(run.indices, other.indices):
        raise RecordError(
            f"{run.folder} and {other.folder} were validated on different images; train both on "
            "one split, which follows the seed of the first run (--seeds keeps it)"
        )


def group_runs(contenders: Sequence[Contender]) -> list[Group]:
    """Gather runs of one recipe; groups that would share a name are told apart by folder.

    Raises:
        RecordError: two runs have the same recipe and seed; a copy is no repeat.
    """
    gathered: dict[Recipe | Path, list[Contender]] = {}
    for run in contenders:
        # An ensemble has the recipe of its members, and is a group of its own.
        recipe = run.recipe and run.recipe.model_copy(update={"name": "run", "seed": 0})
        gathered.setdefault(recipe or run.folder, []).append(run)
    for runs in gathered.values():
        seen: dict[int, Contender] = {}
        for run in runs:
            if run.recipe is not None and (twin := seen.setdefault(run.recipe.seed, run)) != run:
                raise RecordError(
                    f"{twin.folder} and {run.folder} are one recipe with one seed; a copy is no "
                    "repeat, so name only one of them"
                )
    names = name_groups([runs[0] for runs in gathered.values()])
    return [Group(name, tuple(runs)) for name, runs in zip(names, gathered.values(), strict=True)]


def name_groups(runs: Sequence[Contender]) -> list[str]:
    """The runs' own names; where some are equal, with as much of the folder as tells them apart."""
    places = [run.folder.resolve() for run in runs]
    names = [run.status["name"] for run in runs]
    shared = os.path.commonpath([place.parent for place in places])
    return [
        name if names.count(name) == 1 else f"{name} ({place.relative_to(shared)})"
        for name, place in zip(names, places, strict=True)
    ]


def weigh_pair(a: Group, b: Group) -> tuple[float, float]:
    """Difference of the mean accuracies and its p-value, before any correction."""
    return compare_seeds(a.correct, b.correct)


def judge_groups(
    a: Group, b: Group, difference: float, p: float, p_holm: float, num_pairs: int
) -> dict[str, Any]:
    """An entry of `pairs`: the verdict that the corrected p-value bears, with its evidence."""
    verdict: Verdict = "cannot tell apart"
    if p_holm < LEVEL:
        verdict = "better" if difference > 0 else "worse"
    needed = None
    if verdict == "cannot tell apart":
        needed = estimate_images(a, b, difference, LEVEL / num_pairs)
    judged = {
        "a": a.name,
        "b": b.name,
        "difference": difference,
        "interval": list(compare_answers(a.correct, b.correct).interval),
        "bootstrap": list(bootstrap_difference(a.correct, b.correct)),
        "p": p,
        "p_holm": p_holm,
        "verdict": verdict,
        "needed_n": needed,
    }
    return {**judged, "sentence": phrase_pair(judged, len(a.runs[0].indices), num_pairs)}


def estimate_images(a: Group, b: Group, difference: float, level: float) -> int | None:
    """About how many images it would take at a level, or None where no number would do."""
    if len(a.runs) == len(b.runs) == 1:
        right, other = a.correct[0], b.correct[0]
        return needed_images(
            float(np.mean(right & ~other)), float(np.mean(~right & other)), level=level
        )
    return needed_for_seeds(difference, measure_variance(a.correct, b.correct), level=level)


def phrase_pair(pair: dict[str, Any], n: int, num_pairs: int) -> str:
    """The verdict on a pair in words, with the figures it rests on."""
    digits = choose_digits(n)
    low, high = (f"{bound * 100:+.{digits}f}".replace("-", "−") for bound in pair["interval"])
    corrected = f" after Holm's correction for {num_pairs} pairs" if num_pairs > 1 else ""
    evidence = f"95 % interval {low} to {high}; {format_p(pair['p_holm'])}{corrected}"
    points = f"{abs(pair['difference']) * 100:.{digits}f} points"
    if pair["verdict"] != "cannot tell apart":
        return f"{pair['a']} is {pair['verdict']} than {pair['b']} by {points} ({evidence})."
    if pair["difference"] == 0:
        return (
            f"{pair['a']} and {pair['b']} are right equally often; cannot tell apart on {n:,} "
            "images."
        )
    side = "above" if pair["difference"] > 0 else "below"
    wish = (
        f"it would take about {round_up(pair['needed_n']):,}"
        if pair["needed_n"]
        else "more images alone would not do, more seeds might"
    )
    return (
        f"{pair['a']} is {points} {side} {pair['b']}, which may be chance ({evidence}); cannot "
        f"tell apart on {n:,} images: {wish}."
    )
