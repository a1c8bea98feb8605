"""Intervals for rates."""

from __future__ import annotations

import math

from scipy.special import ndtri  # scipy.stats, which has it too, is slow to import

from smallvision.format import Rated
from smallvision.records.schema import Interval

CONFIDENCE = 0.95
Estimate = tuple[float, Interval]  # a value with its 95 % interval


def wilson_interval(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval for a rate: it holds its coverage near 0 and 1, where Wald's fails.

    Args:
        successes: number of hits, 0 to n.
        n: number of trials, at least 1.
        confidence: in (0, 1).

    Returns: `(low, high)` as fractions.

    Raises:
        ValueError: the counts are out of range.

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209-212.

    >>> low, high = wilson_interval(960, 1000)
    >>> round(low, 4), round(high, 4)
    (0.946, 0.9705)
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials is no rate")
    z = float(ndtri(0.5 + confidence / 2))
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def negate(estimate: Estimate) -> Estimate:
    """The same with the other sign."""
    value, (low, high) = estimate
    return -value, (-high, -low)


def add_estimates(*parts: Estimate) -> Estimate:
    """A sum of independent estimates, with its interval.

    The distances from each value to its bound are added in quadrature. Of two rates with Wilson's
    intervals, one of them negated, this is Newcombe's interval of their difference.

    Source: Zou and Donner, Stat. Med. 27 (2008) 1693-1702; Newcombe, Stat. Med. 17 (1998) 873-890,
    method 10.
    """
    total = sum(value for value, _ in parts)
    below = math.hypot(*(value - low for value, (low, _) in parts))
    above = math.hypot(*(high - value for value, (_, high) in parts))
    return total, (total - below, total + above)


def estimate_gap(train: Rated, val: Rated) -> Estimate:
    """Training minus validation accuracy, with Newcombe's 95 % interval.

    The training images that were measured are taken for a sample, even where they are all there
    are: the interval is then too wide.
    """
    return add_estimates((train.accuracy, train.interval), negate((val.accuracy, val.interval)))
