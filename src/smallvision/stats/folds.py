"""Cross-validation: intervals over folds and images, and two models compared on them.

Every image is answered by the network of the fold that it was left out of. Two things make the
pooled accuracy of K folds vary: which images there are, and which networks came of the training
parts. The first is binomial. The second has no unbiased estimator (Bengio and Grandvalet, J. Mach.
Learn. Res. 5 (2004) 1089-1105), because the training parts overlap. It is taken from the spread of
the folds, corrected for the overlap after Nadeau and Bengio, Machine Learning 52 (2003) 239-281.
They assume that two folds are correlated as strongly as a validation part is large, 1/K of the
images. Each interval here is the wider of the two, and each test the more cautious of the two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t

from smallvision.records.schema import Interval, VerdictWord
from smallvision.shapes import Labels
from smallvision.stats.intervals import CONFIDENCE, wilson_interval
from smallvision.stats.paired import (
    MOST_IMAGES,
    Correct,
    PairedComparison,
    compare_paired,
    needed_images,
)
from smallvision.stats.seeds import POWER


def corrected_error(values: Sequence[float], num_folds: int) -> float:
    """The standard error of a mean over folds, with Nadeau and Bengio's correction for overlap.

    Args:
        values: of F finished folds, an accuracy or a difference of two, at least 2.
        num_folds: K, by which the images were divided; a validation part is 1/(K-1) of the
            training part beside it.
    """
    variance = float(np.var(values, ddof=1))
    return math.sqrt((1 / len(values) + 1 / (num_folds - 1)) * variance)


def mean_by_fold(values: Correct | Labels, folds: Labels) -> list[float]:
    """The mean of each fold's values, `(N,)`, in the order of the folds' numbers."""
    return [float(values[folds == fold].mean()) for fold in np.unique(folds)]


def fold_interval(correct: Correct, folds: Labels, num_folds: int) -> Interval:
    """95 % interval of an accuracy over out-of-fold answers: over folds or images, the wider.

    Args:
        correct: bool `(N,)`, whether each image was classified correctly.
        folds: int64 `(N,)`, the fold that each image was left out of.
        num_folds: K; where fewer folds are among `folds`, the others failed.

    Returns: both bounds, as fractions. With one fold that is Wilson's interval.
    """
    hits, n = int(correct.sum()), len(correct)
    low, high = wilson_interval(hits, n)
    accuracies = mean_by_fold(correct, folds)
    if len(accuracies) > 1:
        half = float(t.ppf(0.5 + CONFIDENCE / 2, len(accuracies) - 1)) * corrected_error(
            accuracies, num_folds
        )
        low, high = min(low, hits / n - half), max(high, hits / n + half)
    return max(0.0, low), min(1.0, high)


def compare_folds(a: Correct, b: Correct, folds: Labels, num_folds: int) -> PairedComparison:
    """Compare two models by their out-of-fold answers to the same images.

    McNemar's exact test over all images speaks of these 2K networks; the corrected t-test over
    the folds' differences speaks of the recipes on training parts of this size. The larger p-value
    and the wider bounds of the two intervals count. On few images this tells apart only what
    differs about twice as much as McNemar's test alone would need.

    Args:
        a, b: bool `(N,)`, whether each model was right on each of the same N images.
        folds: int64 `(N,)`, the fold that each image was left out of.
        num_folds: K; where fewer folds are among `folds`, the others failed.

    Returns: the comparison of `a` against `b`.

    Raises:
        ValueError: the arrays differ in shape or are empty.
    """
    paired = compare_paired(a, b)
    differences = mean_by_fold(a.astype(np.int64) - b.astype(np.int64), folds)
    count, n, difference = len(differences), paired.n, paired.difference
    error = corrected_error(differences, num_folds) if count > 1 else 0.0
    if not error:
        return paired
    p = max(paired.p, min(1.0, float(2 * t.sf(abs(difference) / error, count - 1))))
    half, (low, high) = float(t.ppf(0.5 + CONFIDENCE / 2, count - 1)) * error, paired.interval
    verdict: VerdictWord = "cannot tell apart"
    if p < 1 - CONFIDENCE:
        verdict = "better" if difference > 0 else "worse"
    needed = None
    if verdict == "cannot tell apart":
        needed = needed_for_folds(a, b, folds, num_folds, level=1 - CONFIDENCE)
    interval = (max(-1.0, min(low, difference - half)), min(1.0, max(high, difference + half)))
    return PairedComparison(n, difference, interval, p, verdict, needed)


def needed_for_folds(
    a: Correct, b: Correct, folds: Labels, num_folds: int, *, level: float
) -> int | None:
    """About how many images it would take to tell two models apart in as many folds.

    It supposes that the variance of a fold's difference falls with the number of its images.

    Args:
        a, b, folds, num_folds: as for `compare_folds`.
        level: of the test.

    Returns: what the more cautious of the two tests needs; None when no number would do.
    """
    difference = float(a.mean() - b.mean())
    images = needed_images(float(np.mean(a & ~b)), float(np.mean(~a & b)), level=level)
    differences = mean_by_fold(a.astype(np.int64) - b.astype(np.int64), folds)
    if images is None or len(differences) < 2:
        return images
    quantile = float(t.ppf(1 - level / 2, len(differences) - 1) + norm.ppf(POWER))
    wide = quantile * corrected_error(differences, num_folds) / abs(difference)
    needed = len(a) * wide**2
    return max(math.ceil(needed), images) if needed < MOST_IMAGES else None
