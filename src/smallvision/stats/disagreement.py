"""How far the members of an ensemble disagree on each image."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import entropy

from smallvision.shapes import Floats


def vote_entropy(probabilities: Floats) -> npt.NDArray[np.float64]:
    """Entropy of the members' votes in nats, float64 `(N,)`: 0 where all vote alike.

    Args:
        probabilities: `(M, N, K)`; each member votes for its most probable class.

    Source: Dagan and Engelson, ICML 1995.
    """
    K = probabilities.shape[2]
    votes = probabilities.argmax(axis=2)
    shares = np.stack([(votes == k).mean(axis=0) for k in range(K)], axis=1)
    return np.asarray(entropy(shares, axis=1), dtype=np.float64)


def probability_spread(probabilities: Floats) -> npt.NDArray[np.float64]:
    """Mean total variation distance of the members from their mean, float64 `(N,)` in [0, 1)."""
    apart = np.abs(probabilities - probabilities.mean(axis=0)).sum(axis=2) / 2
    return np.asarray(apart.mean(axis=0), dtype=np.float64)
