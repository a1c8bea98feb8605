"""Accuracy, class means and log loss from probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import fisher_exact

from smallvision.format import Rated
from smallvision.records.schema import ClassMeans, MetricName, Rate
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
        by_class=average_classes(probabilities.argmax(axis=1), labels),
    )


def average_classes(predicted: Labels, labels: Labels) -> ClassMeans:
    """Balanced accuracy and macro F1 over the classes that have images.

    Args:
        predicted: int64 `(N,)`, the classes that a model says.
        labels: int64 `(N,)`, the right ones; at least one.

    Source: Brodersen et al., ICPR 2010; of macro F1, Opitz and Burst, arXiv 1911.03347, the mean
    of the scores of the classes.
    """
    K = int(max(predicted.max(), labels.max())) + 1
    hits = np.bincount(labels[predicted == labels], minlength=K)
    images, said = (np.bincount(values, minlength=K) for values in (labels, predicted))
    has = images > 0
    return ClassMeans(
        balanced_accuracy=float(np.mean(hits[has] / images[has])),
        macro_f1=float(np.mean(2 * hits[has] / (images + said)[has])),
        imbalance=float(images[has].max() / images[has].min()),
    )


def mean_by_class(some: Sequence[ClassMeans | None]) -> ClassMeans | None:
    """The means of class means on the same images; None where one was not measured."""
    known = [one for one in some if one is not None]
    if len(known) < len(some):
        return None
    return known[0].change(
        balanced_accuracy=float(np.mean([one.balanced_accuracy for one in known])),
        macro_f1=float(np.mean([one.macro_f1 for one in known])),
    )


def measure_score(predicted: Labels, labels: Labels, metric: MetricName) -> float:
    """The figure by which a choice is made, of what a model says of labelled images."""
    if metric == "accuracy":
        return float(np.mean(predicted == labels))
    found: float = getattr(average_classes(predicted, labels), metric)
    return found


def compare_rates(a: Rated, b: Rated) -> float:
    """Two-sided p-value of two accuracies on different images being equal, by Fisher's exact test.

    Source: Fisher, J. R. Stat. Soc. 85 (1922) 87-94.
    """
    hits_a, hits_b = round(a.accuracy * a.n), round(b.accuracy * b.n)
    table = [[hits_a, a.n - hits_a], [hits_b, b.n - hits_b]]
    return min(1.0, float(fisher_exact(table).pvalue))  # which may be a rounding above
