"""Measurements that several records hold."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from smallvision.records.schema.base import (
    MOST,
    Count,
    Difference,
    DifferenceInterval,
    Fraction,
    Interval,
    Loss,
    Number,
    Probability,
    Ratio,
    Record,
    Temperature,
    Text,
    at_most,
)
from smallvision.shapes import MAX_CLASSES

VerdictWord: TypeAlias = Literal["better", "worse", "cannot tell apart"]


UNEVEN = 3.0  # images of the largest class, divided by those of the smallest
MetricName: TypeAlias = Literal["accuracy", "balanced_accuracy", "macro_f1"]
GoalName: TypeAlias = Literal["val_accuracy", "val_balanced_accuracy", "val_macro_f1"]
GOAL_OF_METRIC: dict[MetricName, GoalName] = {
    "accuracy": "val_accuracy",
    "balanced_accuracy": "val_balanced_accuracy",
    "macro_f1": "val_macro_f1",
}
METRIC_OF_GOAL: dict[GoalName, MetricName] = {
    goal: metric for metric, goal in GOAL_OF_METRIC.items()
}


class ClassMeans(Record):
    """Figures in which every class counts alike, whatever its size; of classes that have images."""

    balanced_accuracy: Fraction
    """Mean over the classes of the share of their images that are classified correctly."""
    macro_f1: Fraction
    """Mean over the classes of their F1 score."""
    imbalance: Annotated[float, Field(ge=1, le=MOST)]
    """Images of the largest class divided by those of the smallest."""

    @property
    def is_uneven(self) -> bool:
        """Whether accuracy alone would say little, since large classes decide it."""
        return self.imbalance > UNEVEN


class Rate(Record):
    """An accuracy on labelled images."""

    accuracy: Fraction
    """Share of the images that are classified correctly."""
    interval: Interval
    """95 % interval of the accuracy: Wilson's, but for that of several folds."""
    n: Count
    """Number of images."""
    loss: Loss
    """Log loss in nats."""
    by_class: ClassMeans | None = None
    """The same images, every class counted alike; null in records of before it was measured."""

    def score(self, metric: MetricName) -> float:
        """The figure by which a choice is made; accuracy where no other was measured."""
        if metric == "accuracy" or self.by_class is None:
            return self.accuracy
        found: float = getattr(self.by_class, metric)
        return found


class ReliabilityBin(Record):
    """The images whose most probable class has a probability between `low` and `high`."""

    low: Fraction
    """Lower edge, excluded."""
    high: Fraction
    """Upper edge, included."""
    n: Count
    """Number of images."""
    confidence: Probability
    """Mean probability of the most probable class."""
    accuracy: Fraction
    """Share of these images that are classified correctly."""


class Reliability(Record):
    """How far probabilities can be believed."""

    ece: Probability
    """Expected calibration error over the bins."""
    nll: Loss
    """Log loss in nats."""
    brier: Annotated[float, Field(ge=0, le=2.001)]
    """Brier score, summed over the classes: from 0 to 2."""
    bins: Annotated[tuple[ReliabilityBin, ...], at_most(1000)]
    """Bins of equal width over the highest probability; empty bins are left out."""


class Calibration(Record):
    """Probabilities before and after the logits are divided by a temperature."""

    temperature: Temperature
    """The divisor of the logits, from validation images; 1 unless these tell it apart from 1."""
    before: Reliability
    """With temperature 1."""
    after: Reliability
    """With the temperature above."""


class SetCoverage(Record):
    """What the prediction sets of one error rate hold on labelled images."""

    error_rate: Fraction
    """Share of images whose set may lack the right class."""
    coverage: Fraction
    """Share of the images whose set holds the right class."""
    interval: Interval
    """Wilson's 95 % interval of the coverage."""
    mean_size: Annotated[float, Field(ge=1, le=MAX_CLASSES)]
    """Mean number of classes in a set."""
    n: Number
    """Number of images."""


class UnlikeShare(Record):
    """How many images are called unlike all that a model was trained on."""

    share: Fraction
    """Share of the images; about 0.05 of images like the validation images."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Number
    """Number of images."""


class ClassMeansDifference(Record):
    """The difference of two models on the same images, every class counted alike."""

    balanced_accuracy: Difference
    """Balanced accuracy of the first minus that of the second."""
    balanced_accuracy_interval: DifferenceInterval
    """95 % interval, by a paired bootstrap over the images of each class."""
    macro_f1: Difference
    """Macro F1 of the first minus that of the second."""
    macro_f1_interval: DifferenceInterval
    """95 % interval, by the same bootstrap."""

    def estimate(self, metric: MetricName) -> tuple[float, tuple[float, float]]:
        """The difference in one of the two, with its interval."""
        return getattr(self, metric), getattr(self, f"{metric}_interval")


class Verdict(Record):
    """Two models compared on the same images."""

    rung: Text
    """Name of the model that is judged."""
    against: Text
    """Name of the model it is compared with."""
    n: Count
    """Number of images that both classified."""
    difference: Difference
    """Accuracy of the first minus accuracy of the second."""
    interval: DifferenceInterval
    """95 % interval of the difference, which excludes zero exactly where the test does."""
    p: Fraction
    """Two-sided p-value: exact McNemar test of single runs, Welch's test of several seeds; of
    several folds the larger of McNemar's and that of the corrected t-test."""
    verdict: VerdictWord
    """What may be said at the 5 % level."""
    needed_n: Number | None
    """About how many images it would take to tell the two apart if the true difference is the one
    seen; null if no number would do, and where fewer than six images tell them apart."""
    bootstrap: DifferenceInterval
    """Paired percentile bootstrap interval of the difference."""
    gap_change: Annotated[float, Field(ge=-2, le=2)]
    """Change of the gap between training and validation accuracy, of the first run of each side."""
    gap_interval: DifferenceInterval | None = None
    """95 % interval of that change; null in records of before there was one."""
    seconds_ratio: Ratio
    """Training time of the first divided by that of the second."""
    parameters_ratio: Ratio
    """Parameter count of the first divided by that of the second."""
    latency_ratio: Ratio
    """Time to classify an image, of the first divided by that of the second."""
    seeds: tuple[Number, Number]
    """Number of seeds on each side."""
    folds: Number = 1
    """Folds whose answers were pooled."""
    by_class: ClassMeansDifference | None = None
    """The same with every class counted alike; null in records of before it was measured."""
    rising: tuple[bool, bool] = (False, False)
    """Whether each was still rising at its last epoch, or too short to judge: the verdict then
    holds at this budget of epochs alone."""
    sentence: Text
    """The verdict in words."""

    @property
    def is_of_single_runs(self) -> bool:
        """Whether it compares two networks, and says nothing of other seeds."""
        return self.seeds == (1, 1) and self.folds == 1

    @property
    def is_at_budget(self) -> bool:
        """Whether it may be another one after more epochs."""
        return any(self.rising)


class CostRatio(Record):
    """The cost of a model divided by the cost of another."""

    latency_ratio: Ratio
    """Time to classify an image."""
    size_ratio: Ratio
    """Size of the weights."""
