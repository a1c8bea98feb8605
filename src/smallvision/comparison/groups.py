"""Any runs on one split compared: seeds of a recipe are one group, all pairs are tested."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from smallvision.comparison.folds import CommonFolds, find_common_folds, read_folds
from smallvision.comparison.verdicts import read_correct, say_needed
from smallvision.data.split import read_split_record
from smallvision.errors import RecordError
from smallvision.format import format_p, format_points, format_signed_span
from smallvision.recipes import Recipe, read_run_recipe
from smallvision.records import store
from smallvision.records.layout import STUDY, list_failed, list_repeats, run_folder
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    Comparison,
    PairVerdict,
    RunGroup,
    StudyRecord,
    ValidatedRun,
    VerdictWord,
)
from smallvision.runs.finished_run import find_validated, judge_run
from smallvision.runs.results import Run
from smallvision.shapes import Labels
from smallvision.stats.bootstrap import bootstrap_difference
from smallvision.stats.folds import compare_folds, needed_for_folds
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.multiple import holm
from smallvision.stats.paired import LEAST_DISCORDANT, Correct, PairedComparison, needed_images
from smallvision.stats.rates import mean_by_class
from smallvision.stats.seeds import (
    compare_answers,
    count_discordant,
    measure_variance,
    needed_for_seeds,
    summarize_seeds,
)

LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True, eq=False)
class ComparedRun:
    """A finished run, as far as a comparison needs it.

    Attributes:
        folder: of the run.
        status: of the run.
        recipe: None for an ensemble, whose recipe is that of its members.
        indices: of the validation images.
        correct: whether it was right on each of them.
        folds: the fold that each of them was left out of; None without folds.
    """

    folder: Path
    status: ValidatedRun
    recipe: Recipe | None
    indices: Labels
    correct: Correct
    folds: Labels | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one recipe with several seeds, or one run.

    Attributes:
        name: unique among the groups.
        runs: in the order given.
    """

    name: str
    runs: tuple[ComparedRun, ...]

    @property
    def correct(self) -> Correct:
        """Which images each run got right, bool `(S, N)`."""
        return np.stack([run.correct for run in self.runs])

    @property
    def mean(self) -> float:
        """Mean accuracy over the runs."""
        return float(self.correct.mean())

    def record(self) -> RunGroup:
        """The group as the comparison tells it."""
        accuracies = tuple(run.status.val.accuracy for run in self.runs)
        std, interval = None, self.runs[0].status.val.interval
        if len(accuracies) > 1:
            summary = summarize_seeds(accuracies)
            std, interval = summary.std, summary.interval
        return RunGroup(
            name=self.name,
            runs=tuple(str(run.folder) for run in self.runs),
            seeds=tuple(run.recipe.seed for run in self.runs if run.recipe is not None),
            failed=tuple(
                read_run_recipe(failed).seed
                for run in self.runs
                for failed in list_failed(run.folder)
            ),
            accuracies=accuracies,
            mean=self.mean,
            by_class=mean_by_class([run.status.val.by_class for run in self.runs]),
            std=std,
            interval=interval,
        )


def compare_groups(folders: Sequence[Run | str | Path]) -> Comparison:
    """Compare finished runs on the same validation images, all with all.

    Runs whose recipes differ in nothing but seed and name are one group; a run brings its repeats
    in `seeds/` along, a study all its finished rungs. Two groups of one run each are compared by
    the exact McNemar test, which speaks of these two networks; where there are several seeds, by
    Welch's test over seeds and images, which speaks of the recipes. The p-values of all pairs are
    corrected after Holm, and the verdicts rest on what is left. Where all runs were
    cross-validated, the answers of their common folds are compared, over folds and images.

    Args:
        folders: of runs, ensembles or studies, or the runs themselves.

    Returns: the groups, best mean accuracy first, and all pairs in that order; the interval of a
        group is Wilson's over images for one run, also over folds for a cross-validated one, and
        Student's over seeds for several.

    Raises:
        RecordError: a folder is no finished run, two runs are not on one split, or one is given
            twice.

    >>> import smallvision as sv
    >>> first = sv.train("digits", "mlp", settings=["epochs=1"])
    >>> second = sv.train("digits", "linear", settings=["epochs=1"])
    >>> found = sv.compare([first.folder, second.folder])
    >>> [group.name for group in found.groups]
    ['mlp', 'linear']
    >>> found.pairs[0].verdict
    'better'
    """
    named = [one.folder if isinstance(one, Run) else one for one in folders]
    places = list(list_runs(named))
    common = find_common_folds(places)
    runs = [read_compared(place, common) for place in places]
    if len(runs) < 2:
        raise RecordError("a comparison needs two finished runs or more; name another one")
    for run in runs[1:]:
        check_same_split(runs[0], run)
    groups = sorted(group_runs(runs), key=lambda group: -group.mean)
    pairs = list(combinations(groups, 2))
    tested = [compare_pair(a, b, common) for a, b in pairs]
    adjusted = holm([test.p for test in tested])
    corrected = [
        PairTest(comparison, float(p_holm))
        for comparison, p_holm in zip(tested, adjusted, strict=True)
    ]
    return Comparison(
        n=len(runs[0].indices),
        folds=1 if common is None else len(common.numbers),
        groups=tuple(group.record() for group in groups),
        pairs=tuple(
            judge_groups(a, b, test, common, num_pairs=len(pairs))
            for (a, b), test in zip(pairs, corrected, strict=True)
        ),
    )


def list_runs(folders: Sequence[str | Path]) -> Iterator[Path]:
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
    if not exists(folder / STUDY):
        return [folder]
    rungs = store.read(folder / STUDY, StudyRecord).rungs
    runs = [run_folder(folder, rung.name) for rung in rungs if rung.is_done]
    if not runs:
        raise RecordError(f"{folder} has no finished rung to compare")
    return [run for run in runs if not is_adopted(find_validated(run)[1])]


def read_compared(folder: Path, common: CommonFolds | None = None) -> ComparedRun:
    """Read what a comparison needs of a run, of its common folds if there are any.

    Raises:
        RecordError: it is no run, unfinished or damaged.
    """
    _, status = find_validated(folder)
    recipe = None if status.kind == "ensemble" else read_run_recipe(folder)
    if common is not None:
        found = read_folds(folder, common)
        judged = judge_run(folder, status)
        return ComparedRun(folder, judged, recipe, found.indices, found.correct, found.folds)
    return ComparedRun(folder, status, recipe, *read_correct(folder))


def check_same_split(run: ComparedRun, other: ComparedRun) -> None:
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


def group_runs(compared: Sequence[ComparedRun]) -> list[Group]:
    """Gather runs of one recipe; groups that would share a name are told apart by folder.

    Raises:
        RecordError: two runs have the same recipe and seed; a copy is no repeat.
    """
    gathered: dict[Recipe | Path, list[ComparedRun]] = {}
    for run in compared:
        # An ensemble has the recipe of its members, and is a group of its own.
        recipe = run.recipe and run.recipe.model_copy(update={"name": "run", "seed": 0})
        gathered.setdefault(recipe or run.folder, []).append(run)
    for runs in gathered.values():
        seen: dict[int, ComparedRun] = {}
        for run in runs:
            if run.recipe is not None and (first := seen.setdefault(run.recipe.seed, run)) != run:
                raise RecordError(
                    f"{first.folder} and {run.folder} are one recipe with one seed; a copy is no "
                    "repeat, so name only one of them"
                )
    names = name_groups([runs[0] for runs in gathered.values()])
    return [Group(name, tuple(runs)) for name, runs in zip(names, gathered.values(), strict=True)]


def name_groups(runs: Sequence[ComparedRun]) -> list[str]:
    """The runs' own names; where some are equal, with as much of the folder as tells them apart."""
    places = [run.folder.resolve() for run in runs]
    names = [run.status.name for run in runs]
    shared = os.path.commonpath([place.parent for place in places])
    return [
        name if names.count(name) == 1 else f"{name} ({place.relative_to(shared)})"
        for name, place in zip(names, places, strict=True)
    ]


def compare_pair(a: Group, b: Group, common: CommonFolds | None) -> PairedComparison:
    """Compare two groups by their answers; two runs with folds over folds and images."""
    folds = a.runs[0].folds
    if common is None or folds is None or len(a.runs) + len(b.runs) > 2:
        return compare_answers(a.correct, b.correct)
    return compare_folds(a.correct[0], b.correct[0], folds, common.num_folds)


@dataclass(frozen=True)
class PairTest:
    """The test of one pair.

    Attributes:
        comparison: of the pair alone.
        p_holm: its p-value corrected for all pairs.
    """

    comparison: PairedComparison
    p_holm: float

    @property
    def verdict(self) -> VerdictWord:
        """What may be said after the correction."""
        if self.p_holm >= LEVEL:
            return "cannot tell apart"
        return "better" if self.comparison.difference > 0 else "worse"


def judge_groups(
    a: Group, b: Group, test: PairTest, common: CommonFolds | None = None, *, num_pairs: int
) -> PairVerdict:
    """The verdict that the corrected p-value bears, with its evidence."""
    found, needed = test.comparison, None
    tells = count_discordant(a.correct, b.correct) >= LEAST_DISCORDANT
    if test.verdict == "cannot tell apart" and tells:
        needed = estimate_images(a, b, common, level=LEVEL / num_pairs)
    judged = PairVerdict(
        a=a.name,
        b=b.name,
        difference=found.difference,
        interval=found.interval,
        bootstrap=bootstrap_difference(a.correct, b.correct),
        p=found.p,
        p_holm=test.p_holm,
        verdict=test.verdict,
        needed_n=needed,
        sentence="",
    )
    sentence = describe_pair(judged, len(a.runs[0].indices), num_pairs, tells=tells)
    return judged.change(sentence=sentence)


def estimate_images(a: Group, b: Group, common: CommonFolds | None, *, level: float) -> int | None:
    """About how many images it would take at a level, or None where no number would do."""
    folds = a.runs[0].folds
    if len(a.runs) == len(b.runs) == 1:
        right, other = a.correct[0], b.correct[0]
        if common is not None and folds is not None:
            return needed_for_folds(right, other, folds, common.num_folds, level=level)
        return needed_images(
            float(np.mean(right & ~other)), float(np.mean(~right & other)), level=level
        )
    return needed_for_seeds(a.mean - b.mean, measure_variance(a.correct, b.correct), level=level)


def describe_pair(pair: PairVerdict, n: int, num_pairs: int, *, tells: bool) -> str:
    """The verdict on a pair in words, with the figures it rests on.

    Args:
        pair: judged.
        n: validation images.
        num_pairs: that the p-value is corrected for.
        tells: whether enough images tell the two apart to say how many it would take.
    """
    corrected = f" after Holm's correction for {num_pairs} pairs" if num_pairs > 1 else ""
    interval = format_signed_span(pair.interval, n)
    evidence = f"95 % interval {interval}; {format_p(pair.p_holm)}{corrected}"
    points = format_points(abs(pair.difference), n, signed=False)
    if pair.verdict != "cannot tell apart":
        return f"{pair.a} is {pair.verdict} than {pair.b} by {points} ({evidence})."
    if pair.difference == 0:
        return f"{pair.a} and {pair.b} are right equally often; cannot tell apart on {n:,} images."
    side = "above" if pair.difference > 0 else "below"
    wish = ""
    if pair.needed_n:
        wish = f": {say_needed(pair.needed_n)}"
    elif tells:
        wish = ": more images alone would not do, more seeds might"
    return (
        f"{pair.a} is {points} {side} {pair.b}, which may be chance ({evidence}); cannot "
        f"tell apart on {n:,} images{wish}."
    )


def is_adopted(status: ValidatedRun) -> bool:
    """Whether a rung took over the run it builds on, and was not trained itself."""
    return status.seconds == 0
