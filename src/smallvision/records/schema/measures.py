"""Measurements that several records hold."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from smallvision.records.schema.base import Count, Fraction, Interval, Record

# Of logits; `stats.calibration` tries 1/20 to 20, and what is far beyond would overflow them.
Temperature: TypeAlias = Annotated[float, Field(ge=1e-3, le=1e3)]
VerdictWord: TypeAlias = Literal["better", "worse", "cannot tell apart"]


class Rate(Record):
    """An accuracy on labelled images."""

    accuracy: Fraction
    """Share of the images that are classified correctly."""
    interval: Interval
    """Wilson's 95 % interval of the accuracy."""
    n: Count
    """Number of images."""
    loss: float
    """Log loss in nats."""


class ReliabilityBin(Record):
    """The images whose most probable class has a probability between `low` and `high`."""

    low: float
    """Lower edge, excluded."""
    high: float
    """Upper edge, included."""
    n: Count
    """Number of images."""
    confidence: float
    """Mean probability of the most probable class."""
    accuracy: Fraction
    """Share of these images that are classified correctly."""


class Reliability(Record):
    """How far probabilities can be believed."""

    ece: float
    """Expected calibration error over the bins."""
    nll: float
    """Log loss in nats."""
    brier: float
    """Brier score, summed over the classes: from 0 to 2."""
    bins: tuple[ReliabilityBin, ...]
    """Bins of equal width over the highest probability; empty bins are left out."""


class Calibration(Record):
    """Probabilities before and after the logits are divided by a temperature."""

    temperature: Temperature
    """The divisor of the logits, fitted on validation images."""
    before: Reliability
    """With temperature 1."""
    after: Reliability
    """With the fitted temperature."""


class Verdict(Record):
    """Two models compared on the same images."""

    rung: str
    """Name of the model that is judged."""
    against: str
    """Name of the model it is compared with."""
    n: Count
    """Number of images that both classified."""
    difference: float
    """Accuracy of the first minus accuracy of the second."""
    interval: Interval
    """95 % interval of the difference, which excludes zero exactly where the test does."""
    p: float
    """Two-sided p-value: exact McNemar test of single runs, Welch's test of several seeds."""
    verdict: VerdictWord
    """What may be said at the 5 % level."""
    needed_n: int | None
    """About how many images would be needed to tell the two apart; null if no number would do."""
    bootstrap: Interval
    """Paired percentile bootstrap interval of the difference."""
    gap_change: float
    """Change of the gap between training and validation accuracy."""
    seconds_ratio: float
    """Training time of the first divided by that of the second."""
    parameters_ratio: float
    """Parameter count of the first divided by that of the second."""
    latency_ratio: float
    """Time to classify an image, of the first divided by that of the second."""
    seeds: tuple[int, int]
    """Number of seeds on each side."""
    sentence: str
    """The verdict in words."""

    @property
    def is_of_single_runs(self) -> bool:
        """Whether it compares two networks, and says nothing of other seeds."""
        return self.seeds == (1, 1)


class CostRatio(Record):
    """The cost of a model divided by the cost of another."""

    latency_ratio: float
    """Time to classify an image."""
    size_ratio: float
    """Size of the weights."""
