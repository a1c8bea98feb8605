"""Values far from most others, by a score that they cannot pull towards themselves."""

from __future__ import annotations

import numpy as np

from smallvision.shapes import Floats

BEYOND = 3.5  # a score whose absolute value is larger belongs to an outlier
SCALE = 0.6745  # of a normal distribution, the median absolute deviation in standard deviations


def score_outliers(values: Floats) -> Floats:
    """Modified z-scores: distances from the median, in units of the median absolute deviation.

    Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC 1993, whose limit of 3.5
    is `BEYOND`.

    Args:
        values: `(N,)`.

    Returns: float64 `(N,)`; all 0 where at least half of the values are equal, since nothing then
        says what is far.

    >>> [round(float(score), 1) for score in score_outliers(np.array([1, 2, 3, 4, 100]))]
    [-1.3, -0.7, 0.0, 0.7, 65.4]
    """
    distances = values.astype(np.float64) - np.median(values)
    deviation = np.median(np.abs(distances))
    if not deviation:
        return np.zeros(len(values))
    return np.asarray(SCALE * distances / deviation)
