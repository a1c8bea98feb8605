"""Intervals for rates."""

from __future__ import annotations

import math

from scipy.special import ndtri  # scipy.stats, which has it too, is slow to import

from smallvision.records.schema import Interval

CONFIDENCE = 0.95


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
