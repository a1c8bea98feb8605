"""Prediction sets: the classes among which the right one is, with a chosen error rate.

Source: split conformal prediction with one minus the probability of the right class as the score,
Sadinle et al., arXiv 1609.00451; Angelopoulos and Bates, arXiv 2107.07511, section 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from smallvision.shapes import Floats, Labels

ERROR_RATES = (0.01, 0.02, 0.05, 0.1, 0.2)  # for which a model keeps what it takes


def fit_least_probability(probabilities: Floats, labels: Labels, error_rate: float) -> float:
    """The probability from which a class belongs to the set of an image.

    Of new images drawn like these, the sets of at least `1 - error_rate` hold the right class,
    averaged over draws of both.

    Args:
        probabilities: `(N, K)`, of images that the network was not trained on.
        labels: `(N,)`.
        error_rate: between 0 and 1.

    Returns: 0, so that sets hold all classes, where the images are too few for the error rate.
    """
    right = np.sort(probabilities[np.arange(len(labels)), labels])[::-1]
    rank = math.ceil((len(labels) + 1) * (1 - error_rate))
    return float(right[rank - 1]) if rank <= len(labels) else 0.0


def choose_sets(probabilities: Floats, least: float) -> npt.NDArray[np.bool_]:
    """Which classes belong to the set of each image, `(N, K)`; the most probable one always does.

    Args:
        probabilities: `(N, K)`.
        least: from `fit_least_probability`.
    """
    sets: npt.NDArray[np.bool_] = probabilities >= least
    sets[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return sets
