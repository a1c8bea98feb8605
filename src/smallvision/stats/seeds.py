"""Runs of one recipe with several seeds: their mean, its interval, and two such means compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from smallvision.records.schema import Interval, VerdictWord
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.paired import (
    LEAST_DISCORDANT,
    MOST_IMAGES,
    Correct,
    PairedComparison,
    compare_paired,
)

POWER = 0.8  # wished-for chance of telling two recipes apart


@dataclass(frozen=True)
class MeanOverSeeds:
    """Accuracies of one recipe over seeds.

    Attributes:
        mean: of the accuracies.
        std: sample deviation, with S - 1 below.
        interval: 95 % t interval of the mean over seeds, cut to [0, 1]. It covers other seeds on
            these images, not other images.
    """

    mean: float
    std: float
    interval: Interval


def summarize_seeds(accuracies: Sequence[float]) -> MeanOverSeeds:
    """Mean, sample deviation and t interval of accuracies over seeds.

    Args:
        accuracies: S fractions, at least 2.

    Raises:
        ValueError: fewer than 2, of which no deviation can be known.

    Source: Student, Biometrika 6 (1908) 1-25.
    """
    count = len(accuracies)
    if count < 2:
        raise ValueError(f"{count} accuracies have no deviation")
    mean, std = float(np.mean(accuracies)), float(np.std(accuracies, ddof=1))
    half = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * std / math.sqrt(count)
    return MeanOverSeeds(mean, std, (max(0.0, mean - half), min(1.0, mean + half)))


@dataclass(frozen=True)
class Variance:
    """The variance of an estimated difference of accuracies, part by part.

    Attributes:
        seeds: squared standard errors of the two means over seeds, each with its degrees of
            freedom.
        image: variance over images of the difference, to be divided by their number.
        n: images.
    """

    seeds: tuple[tuple[float, int], ...]
    image: float
    n: int

    @property
    def total(self) -> float:
        """All parts together."""
        return sum(part for part, _ in self.seeds) + self.image / self.n

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the total, after Welch and Satterthwaite."""
        parts = [*self.seeds, (self.image / self.n, self.n - 1)]
        return self.total**2 / sum(part**2 / freedom for part, freedom in parts if part)


def measure_variance(a: Correct, b: Correct) -> Variance:
    """How much the difference of two recipes' mean accuracies would vary with seeds and images.

    A recipe with one run is taken to vary with its seed as the other does.

    Args:
        a, b: bool `(S, N)`, whether each seed's run was right on each of the same N images; at
            least one side has 2 seeds or more.

    Raises:
        ValueError: the images differ in number, or both sides have one seed.
    """
    if a.shape[1] != b.shape[1] or a.shape[1] < 2 or max(len(a), len(b)) < 2:
        raise ValueError(f"expected seeds on the same images, got {a.shape} and {b.shape}")
    known = [(float(side.mean(axis=1).var(ddof=1)), len(side)) for side in (a, b) if len(side) > 1]
    if len(known) == 2:
        seeds = tuple((var / count, count - 1) for var, count in known)
    else:
        var, count = known[0]
        seeds = ((var * (1 / count + 1), count - 1),)
    image = float((a.mean(axis=0) - b.mean(axis=0)).var(ddof=1))
    return Variance(seeds, image, a.shape[1])


def compare_seeds(a: Correct, b: Correct) -> tuple[float, float]:
    """Test whether two recipes differ, over seeds and over images at once.

    Welch's t-test with a third variance, that of the images all runs share: without it, more
    seeds would make any quirk of these images significant. Runs of equal seed number are not
    paired: other layers or augmentations consume a seed otherwise. A flip that belongs to one
    seed and one image counts in both variances, so the test errs on the side of caution; taking
    it out makes false alarms twice too frequent where 2 seeds vary much.

    Where both have one seed, nothing is known of seeds: the test is McNemar's exact one, which
    speaks of these two networks only.

    Args:
        a, b: bool `(S, N)`, whether each seed's run was right on each of the same N images.

    Returns: the difference of the mean accuracies of `a` and `b`, and the two-sided p-value.

    Raises:
        ValueError: the images differ in number.

    Source: Welch, Biometrika 34 (1947) 28-35; that every source of variance belongs in a
    comparison, Bouthillier et al., arXiv 2103.03098.
    """
    if len(a) == len(b) == 1:
        paired = compare_paired(a[0], b[0])
        return paired.difference, paired.p
    difference = float(a.mean() - b.mean())
    variance = measure_variance(a, b)
    if variance.total == 0:
        return difference, 1.0 if difference == 0 else 0.0
    statistic = abs(difference) / math.sqrt(variance.total)
    return difference, min(1.0, float(2 * t.sf(statistic, variance.freedom)))


def compare_answers(a: Correct, b: Correct) -> PairedComparison:
    """Compare two recipes by the images that their runs got right; single runs as `compare_paired`.

    Args:
        a, b: bool `(S, N)`, whether each seed's run was right on each of the same N images.

    Returns: the comparison of `a` against `b`. With several seeds the differences are those of
        means, and interval and p-value those of `compare_seeds`.

    Raises:
        ValueError: the images differ in number.
    """
    if len(a) == len(b) == 1:
        return compare_paired(a[0], b[0])
    difference, p = compare_seeds(a, b)
    variance = measure_variance(a, b)
    half = 0.0
    if variance.total:
        half = float(t.ppf(0.5 + CONFIDENCE / 2, variance.freedom)) * math.sqrt(variance.total)
    verdict: VerdictWord = "cannot tell apart"
    if p < 1 - CONFIDENCE:
        verdict = "better" if difference > 0 else "worse"
    needed = None
    if verdict == "cannot tell apart" and count_discordant(a, b) >= LEAST_DISCORDANT:
        needed = needed_for_seeds(difference, variance, level=1 - CONFIDENCE)
    interval = (difference - half, difference + half)
    return PairedComparison(a.shape[1], difference, interval, p, verdict, needed)


def count_discordant(a: Correct, b: Correct) -> int:
    """Images that the runs of one recipe, bool `(S, N)`, got right more often than the other's."""
    return int((a.mean(axis=0) != b.mean(axis=0)).sum())


def needed_for_seeds(difference: float, variance: Variance, *, level: float) -> int | None:
    """About how many images it would take to tell two recipes apart with the seeds at hand.

    Args:
        difference: the one seen, taken for the true one.
        variance: see `measure_variance`.
        level: of the test.

    Returns: the number of images, or None when no number would do because the seeds vary too
        much, or there is no difference.
    """
    z = float(norm.isf(level / 2) + norm.ppf(POWER))
    spare = (difference / z) ** 2 - sum(part for part, _ in variance.seeds)
    needed = variance.image / spare if spare > 0 else 0.0
    return math.ceil(needed) if variance.n < needed < MOST_IMAGES else None
