"""Accuracy along a measured property: equal-count bins, and whether they differ beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, chi2_contingency

from smallvision.format import format_p, format_percent
from smallvision.records.schema import SliceBin
from smallvision.shapes import Floats, Indices, Labels
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.paired import Correct

BINS, LEVEL = 5, 0.05
FEW, DRAWS = 5, 9_999  # expected images a cell below which chi-square is no guide; tables drawn
PLACES = ("the {low} fifth", "the second-{low} fifth", "the middle fifth",
          "the second-{high} fifth", "the {high} fifth")  # fmt: skip


class Ends(NamedTuple):
    """Superlatives of the two ends of a property, such as "darkest" and "brightest"."""

    low: str
    high: str


def place_values(values: Floats, *, bins: int = BINS) -> Indices:
    """The bin of each image, of bins of about equal count along a property.

    Images of equal value share a bin, so ties make bins uneven and may leave fewer of them.

    Args:
        values: `(N,)`, the property of each image.
        bins: how many, at most.

    Returns: int64 `(N,)`, numbers from 0 without a gap.
    """
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf"))
    places = np.searchsorted(edges, values)  # a value on an edge belongs below it
    return np.asarray(np.unique(places, return_inverse=True)[1], dtype=np.int64)


def bin_accuracy(values: Floats, correct: Correct, places: Indices) -> list[SliceBin]:
    """Accuracy in bins along a property.

    Args:
        values: `(N,)`, the property of each image.
        correct: bool `(N,)`, whether the model was right.
        places: the bin of each image, from `place_values`.
    """
    found = []
    for place in range(places.max() + 1):
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


def compare_within(places: Indices, correct: Correct, labels: Labels, *, seed: int = 0) -> float:
    """The p-value of the hypothesis that accuracy is the same in all bins within every class.

    Where the classes of dark images are hard ones, dark images are hard for that alone: this test
    compares images of one class with each other. It is the generalised test of Cochran, Mantel
    and Haenszel; where it expects fewer than 5 images in some cell, the errors are drawn anew
    within each class instead, which is right at any size.

    Args:
        places: the bin of each image, from `place_values`.
        correct: bool `(N,)`, whether the model was right.
        labels: int64 `(N,)`, the class of each image.
        seed: of the random tables.

    Source: Mantel and Haenszel, J. Natl. Cancer Inst. 22 (1959) 719-748; Agresti, Categorical Data
        Analysis (2013), section 8.4.
    """
    B = int(places.max()) + 1
    cells = labels * B + places
    shape = (int(labels.max()) + 1, B)
    sizes = np.bincount(cells, minlength=shape[0] * B).reshape(shape)
    wrong = np.bincount(cells[~correct], minlength=shape[0] * B).reshape(shape)
    n, errors = sizes.sum(axis=1), wrong.sum(axis=1)
    varies = (errors > 0) & (errors < n)  # other classes say nothing
    sizes, wrong, n, errors = sizes[varies], wrong[varies], n[varies], errors[varies]
    if B < 2 or not len(n):
        return 1.0
    expected = (errors / n) @ sizes
    if min(expected.min(), (sizes.sum(axis=0) - expected).min()) >= FEW:
        spread = errors * (n - errors) / (n**2 * np.maximum(n - 1, 1))
        shares = spread[:, None] * sizes
        variance = np.diag(shares.T @ n) - shares.T @ sizes
        off = (wrong.sum(axis=0) - expected)[:-1]  # the last follows from the others
        return float(chi2.sf(off @ np.linalg.solve(variance[:-1, :-1], off), B - 1))
    rng = np.random.default_rng(seed)
    drawn = np.zeros((DRAWS, B), dtype=np.int64)
    for size, count in zip(sizes, errors, strict=True):
        drawn += rng.multivariate_hypergeometric(size, count, size=DRAWS)
    held = expected > 0  # elsewhere there can be no error
    observed = measure_imbalance(wrong.sum(axis=0)[held], expected[held])
    as_extreme = (measure_imbalance(drawn[:, held], expected[held]) >= observed - 1e-9).sum()
    return float((1 + as_extreme) / (1 + DRAWS))


def measure_imbalance(wrong: npt.NDArray[np.int64], expected: Floats) -> npt.NDArray[np.float64]:
    """Squared distance of error counts `(..., bins)` from what is expected, in its units."""
    return np.asarray(((wrong - expected) ** 2 / expected).sum(axis=-1))


def say_slice(name: str, bins: Sequence[SliceBin], p: float, within: float, ends: Ends) -> str:
    """What the bins say, in one sentence.

    Args:
        name: of the property.
        bins: from `bin_accuracy`.
        p: of equal accuracy in all bins, corrected for all tests.
        within: of equal accuracy among images of one class, corrected likewise.
        ends: of the property, in words.
    """
    if len(bins) < 2:
        return f"All images have the same {name}."
    accuracies = [part.accuracy for part in bins]
    if len(set(accuracies)) == 1:
        return f"Accuracy is the same at every {name}, {format_percent(accuracies[0])}."
    extremes = [accuracies.index(min(accuracies)), accuracies.index(max(accuracies))]
    worst, best = (
        f"{format_percent(accuracies[i])} in {place_bin(i, len(bins), ends.low, ends.high)}"
        for i in extremes
    )
    words = f"Accuracy runs from {worst} to {best}"
    among = f"among images of one class ({format_p(within)})"
    if p >= LEVEL:
        beside = f"but one {among}" if within < LEVEL else f"nor one {among}"
        return f"{words}: no difference beyond chance ({format_p(p)}), {beside}."
    verdict = f"a difference beyond chance ({format_p(p)})"
    if within < LEVEL:
        return f"{words}: {verdict}, also {among}."
    return (
        f"{words}: {verdict}, but none {among}, so that it may be a matter of which classes these "
        "images are of."
    )


def place_bin(i: int, count: int, low: str, high: str) -> str:
    """Name a bin by its place between the two ends."""
    if count == len(PLACES):
        return PLACES[i].format(low=low, high=high)
    if i in (0, count - 1):
        return f"the {high if i else low} of {count} groups"
    return f"group {i + 1} of {count} from the {low}"
