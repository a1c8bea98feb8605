"""Two models compared by their answers to the same validation images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smallvision.comparison.folds import CommonFolds, find_common_folds, read_folds
from smallvision.errors import RecordError
from smallvision.format import METRIC_WORDS, format_p, format_points, format_signed_span
from smallvision.records.layout import list_repeats
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import (
    ClassMeansDifference,
    Interval,
    MetricName,
    Rate,
    TrainingCourse,
    ValidatedRun,
    Verdict,
)
from smallvision.records.schema.measures import UNEVEN
from smallvision.runs.finished_run import find_judged, find_validated
from smallvision.shapes import Labels
from smallvision.stats.bootstrap import Answers, bootstrap_difference, compare_class_means
from smallvision.stats.folds import compare_folds
from smallvision.stats.intervals import Estimate, add_estimates, negate
from smallvision.stats.paired import Correct, PairedComparison, difference_interval
from smallvision.stats.rates import find_correct
from smallvision.stats.seeds import compare_answers

BY_CLASS: tuple[MetricName, ...] = ("balanced_accuracy", "macro_f1")
SHORTEST = 1e-9  # seconds: what a record claims may be none


@dataclass(frozen=True)
class ComparedModel:
    """What a verdict tells of a model besides its answers.

    Attributes:
        name: for sentences.
        train: its accuracy on clean training images.
        epochs: that it was trained for.
        seconds: of training, the search for its settings included.
        parameters: parameter count.
        latency_seconds: to classify one image.
        course: what its epochs say; None for an ensemble, and in records without one.
        caveats: sentences that every verdict on it adds.
    """

    name: str
    train: Rate
    epochs: int
    seconds: float
    parameters: int
    latency_seconds: float
    course: TrainingCourse | None = None
    caveats: tuple[str, ...] = ()

    @property
    def is_rising(self) -> bool:
        """Whether more epochs might change what is said of it."""
        course = self.course
        return course is not None and (course.rising or course.fit == "too short to judge")

    @property
    def at_end(self) -> str:
        """How it ended, where it might go on."""
        rising = self.course and self.course.rising
        return "still rising" if rising else "trained too briefly to level off"


def describe_run(status: ValidatedRun) -> ComparedModel:
    """What a verdict tells of a finished run."""
    return ComparedModel(
        name=status.name,
        train=status.train,
        epochs=status.epochs_done,
        seconds=status.seconds + status.search_seconds,
        parameters=status.parameters,
        latency_seconds=status.latency_seconds,
        course=status.course,
        caveats=status.caveats,
    )


def read_correct(run: Path) -> tuple[Labels, Correct]:
    """Which validation images a run answered, and whether it was right.

    Raises:
        RecordError: the predictions are missing or damaged.
    """
    indices, labels, probabilities = read_predictions(run)
    return indices, find_correct(probabilities, labels)


def read_seeds(run: Path) -> tuple[Labels, Correct]:
    """The same of a run and its repeats with other seeds, `(N,)` and `(S, N)`."""
    found = [read_correct(one) for one in (run, *list_repeats(run))]
    return found[0][0], np.stack([right for _, right in found])


def compare_runs(run: Path, against: Path) -> Verdict:
    """Compare two finished runs, image by image; with repeats, their means over seeds.

    Where both were cross-validated, the answers are those of the folds that both finished.

    Raises:
        RecordError: the runs were not validated on the same images.
    """
    if (common := find_common_folds([run, against])) is not None:
        return compare_cross_validated(run, against, common)
    indices, right = read_seeds(run)
    other_indices, other_right = read_seeds(against)
    if not np.array_equal(indices, other_indices):
        raise RecordError(f"{run} and {against} were validated on different images")
    model, other = (describe_run(find_validated(one)[1]) for one in (run, against))
    verdict = judge_pair(right, other_right, model, other)
    return add_class_means(verdict, read_said(run), read_said(against))


def compare_cross_validated(run: Path, against: Path, common: CommonFolds) -> Verdict:
    """Compare two cross-validated runs by the answers of their common folds.

    Raises:
        RecordError: their folds are not the same.
    """
    answers, others = (read_folds(one, common) for one in (run, against))
    if not np.array_equal(answers.indices, others.indices):
        raise RecordError(f"{run} and {against} were validated on different images")
    comparison = compare_folds(answers.correct, others.correct, answers.folds, common.num_folds)
    model, other = (describe_run(find_judged(one)) for one in (run, against))
    verdict = judge_pair(answers.correct, others.correct, model, other, comparison)
    count = len(common.numbers)
    pooled = f"The answers are those of {count} {'fold' if count == 1 else 'folds'}."
    verdict = verdict.change(folds=count, sentence=f"{verdict.sentence} {pooled}")
    said, others_said = (Answers(one.predicted[None], one.labels) for one in (answers, others))
    return add_class_means(verdict, said, others_said)


def read_said(run: Path) -> Answers:
    """What a run and its repeats with other seeds say of the validation images.

    Raises:
        RecordError: the predictions are missing or damaged.
    """
    found = [read_predictions(one) for one in (run, *list_repeats(run))]
    predicted = np.stack([one.probabilities.argmax(axis=1) for one in found])
    return Answers(predicted, found[0].labels)


def add_class_means(verdict: Verdict, said: Answers, others_said: Answers) -> Verdict:
    """Add the differences in which every class counts alike, in words where they differ in size."""
    found = compare_class_means(said, others_said)
    _, counts = np.unique(said.labels, return_counts=True)
    sentence = verdict.sentence
    if counts.max() > UNEVEN * counts.min():
        sentence = f"{sentence} {describe_class_means(found, verdict.n)}"
    return verdict.change(by_class=found, sentence=sentence)


def describe_class_means(found: ClassMeansDifference, n: int) -> str:
    """The differences in which every class counts alike, in a sentence."""
    parts = (
        f"{METRIC_WORDS[metric]} by {format_points(difference, n)} "
        f"({format_signed_span(interval, n)})"
        for metric in BY_CLASS
        for difference, interval in [found.estimate(metric)]
    )
    return f"With every class counted alike it differs in {' and in '.join(parts)}."


def judge_pair(
    right: Correct,
    other_right: Correct,
    model: ComparedModel,
    other: ComparedModel,
    comparison: PairedComparison | None = None,
) -> Verdict:
    """Compare two models by their answers to the same images.

    Args:
        right, other_right: bool `(N,)`, or `(S, N)` of runs with several seeds.
        model, other: what is known of each besides, or of the first of several seeds.
        comparison: of these answers, where it takes folds into account.
    """
    right, other_right = np.atleast_2d(right), np.atleast_2d(other_right)
    comparison = comparison or compare_answers(right, other_right)
    seeds = (len(right), len(other_right))
    budget = describe_budget(model, other)
    sentence = describe_comparison(comparison, model.name, other.name, seeds, budget=budget)
    gap_change, bounds = estimate_gap_change(right[0], other_right[0], model.train, other.train)
    gap = describe_gap(gap_change, bounds, model.train.accuracy - other.train.accuracy)
    return Verdict(
        rung=model.name,
        against=other.name,
        n=comparison.n,
        difference=comparison.difference,
        interval=comparison.interval,
        p=comparison.p,
        verdict=comparison.verdict,
        needed_n=comparison.needed_n,
        bootstrap=bootstrap_difference(right, other_right),
        gap_change=gap_change,
        gap_interval=bounds,
        seconds_ratio=model.seconds / max(other.seconds, SHORTEST),
        parameters_ratio=model.parameters / other.parameters,
        latency_ratio=model.latency_seconds / other.latency_seconds,
        seeds=seeds,
        rising=(model.is_rising, other.is_rising),
        sentence=" ".join([sentence, gap, *model.caveats, *other.caveats]),
    )


def estimate_gap_change(
    right: Correct, other_right: Correct, train: Rate, other_train: Rate
) -> Estimate:
    """By how much the gap of one network is larger than that of another, with a 95 % interval.

    The validation accuracies are compared image by image. Of the training images only the rates
    are known, so these count as independent: where the same ones were measured, the interval is
    too wide.

    Args:
        right, other_right: bool `(N,)`, whether each was right on each validation image.
        train, other_train: on clean training images.
    """
    n = len(right)
    ours, theirs = int(np.sum(right & ~other_right)), int(np.sum(~right & other_right))
    val = (ours - theirs) / n, difference_interval(ours, theirs, n)
    return add_estimates(
        (train.accuracy, train.interval),
        negate((other_train.accuracy, other_train.interval)),
        negate(val),
    )


def describe_budget(model: ComparedModel, other: ComparedModel) -> str:
    """The budget at which alone a verdict holds, where one of the two might go on rising."""
    rising = [one for one in (model, other) if one.is_rising]
    if not rising:
        return ""
    if model.epochs == other.epochs:
        epochs = f"{model.epochs} epoch{'' if model.epochs == 1 else 's'}"
        if len({one.at_end for one in rising}) == 1:
            who = "both" if len(rising) == 2 else rising[0].name
            return f" at this budget ({epochs}; {who} {rising[0].at_end})"
        return (
            f" at this budget ({epochs}; "
            + ", ".join(f"{one.name} {one.at_end}" for one in rising)
            + ")"
        )
    parts = (
        f"{one.name}: {one.epochs} epoch{'' if one.epochs == 1 else 's'}"
        f"{f', {one.at_end}' if one.is_rising else ''}"
        for one in (model, other)
    )
    return f" at this budget ({'; '.join(parts)})"


def describe_comparison(
    comparison: PairedComparison,
    name: str,
    other: str,
    seeds: tuple[int, int] = (1, 1),
    *,
    budget: str = "",
) -> str:
    """The verdict in words, with the figures it rests on, and the budget at which it holds."""
    n, difference = comparison.n, comparison.difference
    points = format_points(abs(difference), n, signed=False)
    interval = format_signed_span(comparison.interval, n)
    over = f", over {seeds[0]} and {seeds[1]} seeds" if max(seeds) > 1 else ""
    evidence = f"95 % interval {interval}, {format_p(comparison.p)}{over}"
    if comparison.verdict != "cannot tell apart":
        return f"{name} is {comparison.verdict} than {other}{budget} by {points} ({evidence})."
    if difference == 0:
        found = f"{name} and {other} are right equally often"
    else:
        side = "above" if difference > 0 else "below"
        found = f"{name} is {points} {side} {other}, which may be chance ({evidence})"
    needed = comparison.needed_n
    wish = f": {say_needed(needed)}" if needed else ""
    return f"{found}; cannot tell apart on {n:,} images{wish}."


def describe_gap(change: float, interval: Interval, train_change: float) -> str:
    """Whether the gap between training and validation accuracy closed, in a sentence.

    Args:
        change: of the gap.
        interval: 95 % interval of the change.
        train_change: change of the training accuracy; a gap closes too where that falls.
    """
    size, span = format_points(change), format_signed_span(interval)
    if interval[0] <= 0 <= interval[1]:
        return f"The gap to training changed by {size}, which may be chance ({span})."
    moved = "closed" if change < 0 else "widened"
    return (
        f"The gap to training {moved} by {format_points(abs(change), signed=False)} (95 % interval "
        f"{span}): training accuracy {format_points(train_change)}, validation accuracy "
        f"{format_points(train_change - change)}."
    )


def say_needed(n: int) -> str:
    """About how many images it would take to tell two models apart."""
    return f"if the true difference is the one seen, it would take about {round_up(n):,}"


def round_up(n: int) -> int:
    """Round up to two significant digits: a sample size is an order, not a promise."""
    scale = int(10 ** max(0, len(str(n)) - 2))
    return -(-n // scale) * scale
