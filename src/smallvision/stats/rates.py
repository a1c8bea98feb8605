"""Accuracy and log loss from probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact

from smallvision.shapes import Floats, Labels
from smallvision.stats.intervals import wilson_interval


def find_correct(probabilities: Floats, labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether the most probable class is the label, bool `(N,)`, from `(N, K)` and `(N,)`."""
    return np.asarray(probabilities.argmax(axis=1) == labels)


def log_loss(probabilities: Floats, labels: Labels) -> float:
    """Mean negative log likelihood in nats; a probability of zero counts as 1e-12."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(chosen, 1e-12, 1.0)).mean())


def rate_accuracy(probabilities: Floats, labels: Labels) -> dict[str, Any]:
    """Accuracy with its 95 % interval, n and log loss, as a record."""
    correct = find_correct(probabilities, labels)
    hits, n = int(correct.sum()), len(labels)
    return {
        "accuracy": hits / n,
        "interval": list(wilson_interval(hits, n)),
        "n": n,
        "loss": log_loss(probabilities, labels),
    }


def compare_rates(rate_a: float, n_a: int, rate_b: float, n_b: int) -> float:
    """Two-sided p-value of two accuracies on different images being equal, by Fisher's exact test.

    Source: Fisher, J. R. Stat. Soc. 85 (1922) 87-94.
    """
    hits_a, hits_b = round(rate_a * n_a), round(rate_b * n_b)
    table = [[hits_a, n_a - hits_a], [hits_b, n_b - hits_b]]
    return float(fisher_exact(table).pvalue)
