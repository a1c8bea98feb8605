"""Two models on the same images: whether they differ, by how much, and if we could tell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm

from smallvision.records.schema import Interval, VerdictWord
from smallvision.stats.intervals import CONFIDENCE, wilson_interval

Correct = npt.NDArray[np.bool_]
MOST_IMAGES = 1e12  # more than there are: no number would do
# On fewer discordant images no exact McNemar test reaches 5 %, and their shares are hardly known.
LEAST_DISCORDANT = 6


@dataclass(frozen=True)
class PairedComparison:
    """The outcome of a paired comparison of model A against model B.

    Attributes:
        n: images both models answered.
        difference: accuracy of A minus accuracy of B, a fraction.
        interval: 95 % interval of the difference.
        p: two-sided p-value of the exact McNemar test.
        verdict: what may be said at the 5 % level.
        needed_n: about how many images it would take to tell the models apart if the true
            difference is the one seen; None when they were told apart, when no number would do,
            and where fewer than six images are discordant, which say too little.
    """

    n: int
    difference: float
    interval: Interval
    p: float
    verdict: VerdictWord
    needed_n: int | None


def compare_paired(a: Correct, b: Correct) -> PairedComparison:
    """Compare two models by which images each got right.

    Args:
        a, b: bool `(N,)`, whether each model was right on each of the same N images.

    Returns: the comparison of `a` against `b`.

    Raises:
        ValueError: the arrays differ in shape or are empty.

    Source: McNemar, Psychometrika 12 (1947) 153-157, in its exact binomial form.
    """
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"expected two equal, non-empty rows of answers, got {a.shape}, {b.shape}")
    n = len(a)
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(~a & b))
    difference = (only_a - only_b) / n
    p = float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0
    verdict: VerdictWord = "cannot tell apart"
    if p < 1 - CONFIDENCE:
        verdict = "better" if difference > 0 else "worse"
    needed = None
    if verdict == "cannot tell apart" and only_a + only_b >= LEAST_DISCORDANT:
        needed = needed_images(only_a / n, only_b / n)
    return PairedComparison(
        n, difference, difference_interval(only_a, only_b, n), p, verdict, needed
    )


def difference_interval(only_a: int, only_b: int, n: int) -> Interval:
    """Interval of the difference of two paired rates, in step with the exact McNemar test.

    The difference is a product: how often the two disagree, times how one-sidedly. The share of
    disagreements that A wins has Clopper and Pearson's interval, the rate of disagreements
    Wilson's; the two distances from the estimate to a bound are added in quadrature. No bound is
    on the other side of zero than the test allows: the interval holds zero in its inside exactly
    where the test's p-value is 5 % or more.

    Args:
        only_a, only_b: images that only one of the two got right.
        n: all images.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404-413; the combination after Zou and
    Donner, Stat. Med. 27 (2008) 1693-1702, there for sums.
    """
    discordant = only_a + only_b
    if not discordant:
        # No image told them apart, so all that is known is how rare such images are.
        bound = 1 - ((1 - CONFIDENCE) / 2) ** (1 / n)
        return -bound, bound
    exact = binomtest(only_a, discordant).proportion_ci(CONFIDENCE, method="exact")
    scale = discordant / n
    difference = (only_a - only_b) / n
    rarest, commonest = (rate / scale for rate in wilson_interval(discordant, n))
    products = sorted((difference * rarest, difference * commonest))

    def combine(side: int, share: float, product: float) -> float:
        alone = (2 * share - 1) * scale
        bound = difference + side * math.hypot(alone - difference, product - difference)
        return 0.0 if bound * alone < 0 else bound

    return combine(-1, float(exact.low), products[0]), combine(1, float(exact.high), products[1])


def needed_images(
    only_a: float, only_b: float, *, power: float = 0.8, level: float = 1 - CONFIDENCE
) -> int | None:
    """About how many images a McNemar test needs to tell two models apart.

    Args:
        only_a, only_b: share of images that only one of the two gets right.
        power: wished-for chance of telling them apart.
        level: of the test.

    Returns: the number of images, or None when the shares are equal or no number would do.

    Source: Connor, Biometrics 43 (1987) 207-211, unconditional sample size.
    """
    gap, discordant = abs(only_a - only_b), only_a + only_b
    if gap == 0:
        return None
    alpha = float(norm.isf(level / 2)) * math.sqrt(discordant)
    beta = float(norm.ppf(power)) * math.sqrt(max(discordant - gap**2, 0.0))
    needed = ((alpha + beta) / gap) ** 2
    return math.ceil(needed) if needed < MOST_IMAGES else None
