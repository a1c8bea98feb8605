"""Accuracy along a measured property: equal-count bins, and whether they differ beyond chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2_contingency

from smallvision.format import format_p, format_percent
from smallvision.records.schema import SliceBin
from smallvision.shapes import Floats
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.paired import Correct

BINS, LEVEL = 5, 0.05
FEW, DRAWS = 5, 9_999  # expected images a cell below which chi-square is no guide; tables drawn
PLACES = ("the {low} fifth", "the second-{low} fifth", "the middle fifth",
          "the second-{high} fifth", "the {high} fifth")  # fmt: skip


def bin_accuracy(values: Floats, correct: Correct, *, bins: int = BINS) -> list[SliceBin]:
    """Accuracy in bins of about equal count, along a property.

    Images of equal value share a bin, so ties make bins uneven and may leave fewer of them.

    Args:
        values: `(N,)`, the property of each image.
        correct: bool `(N,)`, whether the model was right.
        bins: how many, at most.
    """
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    places = np.searchsorted(edges, values)  # a value on an edge belongs below it
    found = []
    for place in np.unique(places):
        inside = places == place
        n, hits = int(inside.sum()), int(correct[inside].sum())
        low, high = float(values[inside].min()), float(values[inside].max())
        interval = wilson_interval(hits, n)
        found.append(SliceBin(low=low, high=high, n=n, accuracy=hits / n, interval=interval))
    return found


def compare_bins(bins: Sequence[SliceBin], *, seed: int = 0) -> float:
    """The p-value of the hypothesis that accuracy is the same in all bins.

    Pearson's chi-square; where it expects fewer than 5 images in some cell, its value is compared
    with those of random tables of the same margins instead, which is right at any size.

    Args:
        bins: from `bin_accuracy`.
        seed: of the random tables.
    """
    sizes = np.array([part.n for part in bins])
    wrong = sizes - np.rint([part.accuracy * part.n for part in bins]).astype(np.int64)
    if len(bins) < 2 or wrong.sum() in (0, sizes.sum()):
        return 1.0
    result = chi2_contingency([wrong, sizes - wrong], correction=False)
    if result.expected_freq.min() >= FEW:
        return float(result.pvalue)
    expected = result.expected_freq[0]
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(sizes, wrong.sum(), size=DRAWS)
    # With both margins fixed, chi-square grows with this alone: errors weighed by bin size.
    observed = measure_imbalance(wrong, expected)
    as_extreme = (measure_imbalance(drawn, expected) >= observed - 1e-9).sum()
    return float((1 + as_extreme) / (1 + DRAWS))


def measure_imbalance(wrong: npt.NDArray[np.int64], expected: Floats) -> npt.NDArray[np.float64]:
    """Squared distance of error counts `(..., bins)` from what is expected, in its units."""
    return np.asarray(((wrong - expected) ** 2 / expected).sum(axis=-1))


def say_slice(
    name: str, bins: Sequence[SliceBin], p: float, *, low: str, high: str, looks: int
) -> str:
    """What the bins say, in one sentence.

    Args:
        name: of the property.
        bins: from `bin_accuracy`.
        p: corrected for all properties looked at.
        low, high: superlatives of the two ends, such as "darkest" and "brightest".
        looks: number of properties looked at.
    """
    if len(bins) < 2:
        return f"All images have the same {name}."
    accuracies = [part.accuracy for part in bins]
    if len(set(accuracies)) == 1:
        return f"Accuracy is the same at every {name}, {format_percent(accuracies[0])}."
    ends = [accuracies.index(min(accuracies)), accuracies.index(max(accuracies))]
    worst, best = (
        f"{format_percent(accuracies[i])} in {place_bin(i, len(bins), low, high)}" for i in ends
    )
    verdict = "a difference beyond chance" if p < LEVEL else "no difference beyond chance"
    return (
        f"Accuracy runs from {worst} to {best}: {verdict} "
        f"({format_p(p)}, corrected for {looks} properties)."
    )


def place_bin(i: int, count: int, low: str, high: str) -> str:
    """Name a bin by its place between the two ends."""
    if count == len(PLACES):
        return PLACES[i].format(low=low, high=high)
    if i in (0, count - 1):
        return f"the {high if i else low} of {count} groups"
    return f"group {i + 1} of {count} from the {low}"
