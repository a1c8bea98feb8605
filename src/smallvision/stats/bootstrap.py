"""Bootstrap intervals of the difference of two models, over images and over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from smallvision.records.schema import ClassMeansDifference, Interval
from smallvision.shapes import Labels
from smallvision.stats.intervals import CONFIDENCE
from smallvision.stats.paired import Correct

RESAMPLES = 2_000
CLASS_RESAMPLES = 1_000  # of class means, which take longer
MOST_CELLS = 4_000_000  # of the table of resamples that is held at a time

Values = npt.NDArray[np.float64]


def bootstrap_difference(
    a: Correct, b: Correct, *, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the difference of two accuracies on the same images.

    Images are resampled for both sides alike, seeds for each side on its own. A side with one
    seed keeps it: the interval then says nothing of how that recipe varies with its seed.

    Args:
        a, b: bool `(N,)` for one seed, or `(S, N)`, whether each run was right on each of the
            same N images; the two sides may have unlike numbers of seeds.
        resamples: 2,000 leave each bound a standard error of 1.5 % of the interval's width.
        seed: the same seed gives the same interval.

    Returns: 95 % interval of the accuracy of `a` minus that of `b`, as fractions; `(0, 0)` where
        no image tells the two apart, since a bootstrap knows only what it has seen.

    Raises:
        ValueError: the sides differ in their number of images, or there are none.

    Source: Efron, Ann. Stat. 7 (1979) 1-26; images and seeds as two crossed factors as in Owen,
    Ann. Appl. Stat. 1 (2007) 386-411, but resampled one at a time around the estimate: together,
    a flip that belongs to one seed and one image would count three times instead of twice.
    """
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    if a.shape[1] != b.shape[1] or not a.size or not b.size:
        raise ValueError(f"expected answers to the same images, got {a.shape} and {b.shape}")
    n = a.shape[1]
    # Images that as many runs of each side got right are interchangeable, so it is enough to
    # resample how often each such cell occurs: with one run a side, a table of four.
    cells, counts = np.unique(a.sum(axis=0) * (len(b) + 1) + b.sum(axis=0), return_counts=True)
    hits_a, hits_b = np.divmod(cells, len(b) + 1)
    rng = np.random.default_rng(seed)
    resampled = rng.multinomial(n, counts / n, size=resamples)
    differences = resampled @ (hits_a / len(a) - hits_b / len(b)) / n
    differences += draw_shifts(rng, a, resamples) - draw_shifts(rng, b, resamples)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return float(low), float(high)


def draw_shifts(
    rng: np.random.Generator, correct: Correct, resamples: int
) -> npt.NDArray[np.float64]:
    """By how much a side's mean accuracy moves when its seeds are resampled.

    Of S seeds, S - 1 are drawn, which makes the variance of their mean unbiased where S draws
    would understate it by a third at S = 3 (Rao and Wu, J. Am. Stat. Assoc. 83 (1988) 231-241).
    """
    count = len(correct)
    if count == 1:
        return np.zeros(resamples)
    drawn = rng.multinomial(count - 1, np.full(count, 1 / count), size=resamples) / (count - 1)
    return np.asarray(drawn @ (correct.mean(axis=1) - correct.mean()))


def bootstrap_choice(
    scores: npt.NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0
) -> float:
    """About how much the choice of the best of several models raised its accuracy.

    The choice is made anew on each resample of the images, and the accuracy of the chosen model
    there is compared with its accuracy on all images: what it gains is what the images that chose
    it flatter it by.

    Args:
        scores: `(R, N)`, whether each of R models is right on each of the same N images, or the
            share of its seeds that are.
        resamples: how often the choice is made anew.
        seed: the same seed gives the same result.

    Returns: a fraction; 0 of one model.

    Raises:
        ValueError: there are no models or no images.

    Source: the optimism of Efron, J. Am. Stat. Assoc. 78 (1983) 316-331.
    """
    if scores.ndim != 2 or not scores.size:
        raise ValueError(f"expected models by images, got {scores.shape}")
    if len(scores) == 1:
        return 0.0
    n = scores.shape[1]
    patterns, counts = np.unique(scores, axis=1, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    flattery = drawn @ patterns.T / n - scores.mean(axis=1)
    best = (drawn @ patterns.T).argmax(axis=1)
    return max(0.0, float(flattery[np.arange(resamples), best].mean()))


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
    a: Answers, b: Answers, *, resamples: int = CLASS_RESAMPLES, seed: int = 0
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
