"""The difference of two models with every class counted alike, and its bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from smallvision.records.schema import ClassMeansDifference
from smallvision.shapes import Labels
from smallvision.stats.intervals import CONFIDENCE

RESAMPLES = 1_000
MOST_CELLS = 4_000_000  # of the table of resamples that is held at a time

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model, or one recipe with several seeds, says of labelled images.

    Attributes:
        predicted: int64 `(S, N)`, the class that each run says.
        labels: int64 `(N,)`, the right ones.
    """

    predicted: Labels
    labels: Labels


def compare_class_means(
    a: Answers, b: Answers, *, resamples: int = RESAMPLES, seed: int = 0
) -> ClassMeansDifference:
    """Balanced accuracy and macro F1 of `a` minus those of `b`, means over their seeds.

    Images are resampled within each class and for both sides alike, so that no class is empty and
    every resample has the sizes of the classes. The interval says nothing of other seeds.

    Args:
        a, b: answers to the same images.
        resamples: 1,000 leave each bound a standard error of 2 % of the interval's width.
        seed: the same seed gives the same interval.

    Raises:
        ValueError: the images differ.

    Source: the stratified percentile bootstrap of Davison and Hinkley (1997), chapter 3.
    """
    if not np.array_equal(a.labels, b.labels):
        raise ValueError("expected answers to the same images")
    table = np.concatenate([a.labels[None], a.predicted, b.predicted])
    # Images of one class that all runs answer alike are interchangeable.
    cells, counts = np.unique(table, axis=1, return_counts=True)
    labels, predicted = cells[0], cells[1:]
    rng = np.random.default_rng(seed)
    found = [score_cells(counts[None], labels, predicted, len(a.predicted))]
    step = max(1, MOST_CELLS // len(counts))
    for start in range(0, resamples, step):
        drawn = draw_cells(rng, counts, labels, min(step, resamples - start))
        found.append(score_cells(drawn, labels, predicted, len(a.predicted)))
    (balanced, f1), *_ = found[0]
    tail = (1 - CONFIDENCE) / 2
    bounds = np.quantile(np.concatenate(found[1:]), [tail, 1 - tail], axis=0)
    return ClassMeansDifference(
        balanced_accuracy=float(balanced),
        balanced_accuracy_interval=(float(bounds[0, 0]), float(bounds[1, 0])),
        macro_f1=float(f1),
        macro_f1_interval=(float(bounds[0, 1]), float(bounds[1, 1])),
    )


def draw_cells(rng: np.random.Generator, counts: Labels, labels: Labels, size: int) -> Labels:
    """Resample how often each cell occurs, class by class, int64 `(size, cells)`."""
    drawn = np.zeros((size, len(counts)), dtype=np.int64)
    for label in np.unique(labels):
        inside = labels == label
        n = counts[inside].sum()
        drawn[:, inside] = rng.multinomial(n, counts[inside] / n, size=size)
    return drawn


def score_cells(counts: Labels, labels: Labels, predicted: Labels, num_a: int) -> Values:
    """The differences in balanced accuracy and macro F1, float64 `(R, 2)`.

    Args:
        counts: int64 `(R, cells)`, how often each cell occurs.
        labels: int64 `(cells,)`, the class of each.
        predicted: int64 `(S, cells)`, what each run says of it.
        num_a: how many of the runs are those of the first side.
    """
    K = int(max(labels.max(), predicted.max())) + 1
    images = counts @ mark(labels, np.ones(len(labels), dtype=bool), K)
    has = images[0] > 0  # resampling keeps the sizes of the classes
    scores = []
    for one in predicted:
        hits = counts @ mark(labels, one == labels, K)
        said = counts @ mark(one, np.ones(len(one), dtype=bool), K)
        recall = (hits[:, has] / images[:, has]).mean(axis=1)
        f1 = (2 * hits[:, has] / (images + said)[:, has]).mean(axis=1)
        scores.append(np.stack([recall, f1], axis=1))
    return np.asarray(np.mean(scores[:num_a], axis=0) - np.mean(scores[num_a:], axis=0))


def mark(classes: Labels, where: npt.NDArray[np.bool_], K: int) -> csr_array:
    """Maps counts of cells to counts of classes, `(cells, K)`, for the cells where it is true."""
    rows = np.flatnonzero(where)
    shape = (len(classes), K)
    return csr_array((np.ones(len(rows), dtype=np.int64), (rows, classes[rows])), shape=shape)
