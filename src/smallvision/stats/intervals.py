"""Intervals for rates."""

from __future__ import annotations

import math
from statistics import NormalDist

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
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def f1_interval(hits: int, images: int, said: int) -> Interval:
    """95 % interval of the F1 score of a class.

    F1 is 2 J / (1 + J), where J is the share of hits among the images that are of the class or
    said to be: a rate with Wilson's interval, whose ends are converted. Unlike a bootstrap it does
    not shrink to a point where every image was classified correctly.

    Args:
        hits: images of the class that were predicted as it.
        images: of the class.
        said: images predicted as the class; together with `images` at least 1.

    Raises:
        ValueError: the counts are out of range.

    Source: Lam, Gopal and Qian, arXiv 2309.14621, the indirect method.

    >>> low, high = f1_interval(90, 100, 110)
    >>> round(low, 4), round(high, 4)
    (0.7992, 0.9004)
    """
    low, high = wilson_interval(hits, images + said - hits)
    return 2 * low / (1 + low), 2 * high / (1 + high)


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
