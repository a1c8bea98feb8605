"""Intervals by resampling, for averages that follow no textbook distribution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallvision.stats.intervals import CONFIDENCE, Interval

RESAMPLES = 10_000


def bootstrap_mean(values: npt.NDArray[np.float64], *, seed: int) -> Interval:
    """95 % percentile bootstrap interval of a mean.

    Args:
        values: `(N,)`, few of them distinct, such as differences of right and wrong answers.
        seed: of the resampling.

    Returns: `(low, high)` in the unit of the values.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Drawing N
    of N values with replacement and counting them by value is one multinomial draw, so neither
    time nor memory grows with N.
    """
    distinct, counts = np.unique(values, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(values), counts / len(values), size=RESAMPLES
    )
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn @ distinct / len(values), [tail, 1 - tail])
    return float(low), float(high)
