"""Whether an image is unlike all that a model was trained on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallvision.shapes import Floats
from smallvision.stats.probabilities.logits import sum_exponents

KEPT = 0.95  # share of the validation images that are not called unlike


def measure_energy(logits: Floats) -> Floats:
    """The energy of each image: high where no class has a high logit, as of images unlike any.

    Args:
        logits: of each member of the model, `(M, N, K)`, without temperature.

    Returns: minus the logarithm of the sum of exponentials of the logits, `(N,)`; of several
        members, their mean.

    Source: Liu et al., "Energy-based Out-of-distribution Detection", 2020, arXiv 2010.03759,
        without their fine-tuning.
    """
    energies: Floats = -sum_exponents(logits, axis=2).mean(axis=0)
    return energies


def fit_limit(energies: Floats) -> float:
    """The energy above which an image is called unlike: 95 % of validation images are below.

    Args:
        energies: of the validation images, `(N,)`, at least one.
    """
    return float(np.quantile(energies, KEPT, method="higher"))


def find_unlike(energies: Floats, limit: float | None) -> npt.NDArray[np.bool_] | None:
    """Which images are unlike all that a model was trained on, `(N,)`.

    Args:
        energies: `(N,)`.
        limit: from `fit_limit`; None where the model has none.

    Returns: None where nobody can tell.
    """
    return None if limit is None else energies > limit
