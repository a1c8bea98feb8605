"""Accuracy and log loss from probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact

from smallvision.format import Rated
from smallvision.records.schema import Rate
from smallvision.shapes import Floats, Labels
from smallvision.stats.intervals import wilson_interval


def find_correct(probabilities: Floats, labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether the most probable class is the label, bool `(N,)`, from `(N, K)` and `(N,)`."""
    return np.asarray(probabilities.argmax(axis=1) == labels)


def log_loss(probabilities: Floats, labels: Labels) -> float:
    """Mean negative log likelihood in nats; a probability of zero counts as 1e-12."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, 1e-12, 1.0)).mean())


def rate_accuracy(probabilities: Floats, labels: Labels) -> Rate:
    """Accuracy with its 95 % interval, n and log loss."""
    correct = find_correct(probabilities, labels)
    hits, n = int(correct.sum()), len(labels)
    return Rate(
        accuracy=hits / n,
        interval=wilson_interval(hits, n),
        n=n,
        loss=log_loss(probabilities, labels),
    )


def compare_rates(a: Rated, b: Rated) -> float:
    """Two-sided p-value of two accuracies on different images being equal, by Fisher's exact test.

    Source: Fisher, J. R. Stat. Soc. 85 (1922) 87-94.
    """
    hits_a, hits_b = round(a.accuracy * a.n), round(b.accuracy * b.n)
    table = [[hits_a, a.n - hits_a], [hits_b, b.n - hits_b]]
    return min(1.0, float(fisher_exact(table).pvalue))  # which may be a rounding above
