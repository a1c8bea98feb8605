"""Prediction sets: the classes among which the right one is, with a chosen error rate.

Source: split conformal prediction with one minus the probability of the right class as the score,
Sadinle et al., arXiv 1609.00451; Angelopoulos and Bates, arXiv 2107.07511, section 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smallvision.errors import SettingError
from smallvision.format import join_words
from smallvision.shapes import Floats, Labels

if TYPE_CHECKING:
    from smallvision.records.schema import PredictionSetsRecord, SetCoverage

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


def find_least_probability(sets: PredictionSetsRecord | None, error_rate: float) -> float:
    """The probability from which a class belongs to a set, as a model keeps it.

    Args:
        sets: of the model; None where it has none.
        error_rate: one of those that it is kept for.

    Raises:
        SettingError: it is none of them, or the model has none.
    """
    if sets is None:
        raise SettingError(
            "the model has no prediction sets: it was saved without what they need of validation "
            "images; leave them out, or use a model that you train with validation images"
        )
    for rate, least in zip(sets.error_rates, sets.least_probabilities, strict=True):
        if math.isclose(rate, error_rate):
            return least
    known = join_words([f"{rate:g}" for rate in sets.error_rates], "or")
    raise SettingError(
        f"the model has no prediction sets for an error rate of {error_rate:g}; name {known}"
    )


def judge_shortfall(found: SetCoverage, fitted_n: int) -> float:
    """How often sets that keep their promise would hold the right class so rarely, or more rarely.

    The promise is kept on average over draws of both the images that the sets were fitted to and
    the new ones, so both draws may miss it.

    Args:
        found: on new images.
        fitted_n: number of images that the sets were fitted to.

    Returns: the probability; 1 where these were too few, so that sets hold all classes.

    Source: the coverage follows a beta distribution, Angelopoulos and Bates, arXiv 2107.07511,
        section 3.2; so the count of new images follows a beta-binomial one.
    """
    from scipy.stats import betabinom  # which a page loads only where a promise was missed

    rank = math.ceil((fitted_n + 1) * (1 - found.error_rate))
    if rank > fitted_n:
        return 1.0
    hits = round(found.coverage * found.n)
    return float(betabinom.cdf(hits, found.n, rank, fitted_n + 1 - rank))
