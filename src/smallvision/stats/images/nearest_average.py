"""What the average images of the classes tell apart: a classifier that knows nothing else.

Each image is given the class whose average is nearest in Euclidean distance (the nearest centroid
classifier; Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd ed., 4.3).
An image is left out of the average of its own class, or few images would be found near an average
that consists of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from smallvision.shapes import Floats, Labels, Slices

CHUNK = 1000  # rows at a time, so that the floats of a large set are never all in memory

Vectors = npt.NDArray[np.float64]


def confuse_by_averages(rows: Slices, labels: Labels, num_classes: int) -> npt.NDArray[np.int64]:
    """Count which class's average each image is nearest to.

    The average of a class without its only image does not exist, so that image is never nearest to
    its own class.

    Args:
        rows: `(N, D)`, pixels or features, one row an image.
        labels: int64 `(N,)` in `[0, K)`.
        num_classes: K.

    Returns: int64 `(K, K)`; `[i][j]` counts images of class i that are nearest to average j.
    """
    sizes = np.bincount(labels, minlength=num_classes)
    averages = average_rows(rows, labels, num_classes)
    doubled = 2 * averages  # rather than all rows
    squares = np.where(sizes > 0, (averages**2).sum(axis=1), np.inf)
    # Without an image x, the average m of n images lies n / (n - 1) times as far from x as with it.
    further = (sizes / np.maximum(sizes - 1, 1)) ** 2
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    for start, part in split_rows(rows):
        own = labels[start : start + len(part)]
        norms = np.einsum("nd,nd->n", part, part)
        distances = (norms[:, None] - part @ doubled.T + squares).clip(min=0)
        places = np.arange(len(part)), own
        distances[places] = np.where(sizes[own] > 1, distances[places] * further[own], np.inf)
        np.add.at(counts, (own, distances.argmin(axis=1)), 1)
    return counts


def measure_nearness(rows: Slices, labels: Labels, averages: Floats) -> Vectors:
    """How near each image is to the average of another class, beside that of its own.

    Args:
        rows: `(N, ...)`, images that are in no average.
        labels: int64 `(N,)` in `[0, K)`.
        averages: `(K, D)`, NaN for a class that has none.

    Returns: float64 `(N,)` in [0, 1], the distance to the own average divided by the sum of that
        and the distance to the nearest other: beyond 0.5 the other is nearer.
    """
    known = np.isfinite(averages[:, 0])
    means = np.where(known[:, None], averages, 0)
    squares = np.where(known, (means**2).sum(axis=1), np.inf)
    found = np.full(len(rows), 0.5)  # where both are equally far
    for start, part in split_rows(rows):
        places = np.arange(len(part)), labels[start : start + len(part)]
        distances = (part**2).sum(axis=1)[:, None] - 2 * part @ means.T + squares
        distances = np.sqrt(distances.clip(min=0))
        own = distances[places]
        distances[places] = np.inf
        other = distances.min(axis=1)
        differs = own != other
        share = np.where(np.isinf(own), 1.0, 0.0)  # where one of the two is infinitely far
        finite = np.isfinite(own + other) & differs
        share[finite] = own[finite] / (own[finite] + other[finite])
        found[start : start + len(part)][differs] = share[differs]
    return found


def average_rows(rows: Slices, labels: Labels, num_classes: int) -> Vectors:
    """The average of each class, float64 `(K, D)`, from `(N, ...)`; 0 for a class without rows."""
    sums = np.zeros((num_classes, math.prod(rows.shape[1:])))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        # The sums of so many bytes are exact in float32, which takes half the time.
        kind = np.float32 if part.dtype == np.uint8 else np.float64
        members = labels[start : start + CHUNK, None] == np.arange(num_classes)
        sums += members.T.astype(kind) @ part.reshape(len(part), -1).astype(kind)
    sizes = np.bincount(labels, minlength=num_classes)
    return np.asarray(sums / np.maximum(sizes, 1)[:, None])


def split_rows(rows: Slices) -> Iterator[tuple[int, Vectors]]:
    """The rows in parts, as float64 `(n, D)`, each with the number of its first row."""
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK].astype(np.float64)
        yield start, part.reshape(len(part), -1)
