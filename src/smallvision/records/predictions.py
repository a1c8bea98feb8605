"""`predictions/val.npz`: what a run says of its validation images."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from smallvision.errors import RecordError
from smallvision.records.files import make_folder, read_npz, write_npz
from smallvision.shapes import MAX_CLASSES, MIN_CLASSES, Floats, Indices, Labels

TOLERANCE = 1e-3  # of a sum of 1,000 probabilities in float32


class Predictions(NamedTuple):
    """Probabilities of labelled images.

    Attributes:
        indices: int64 `(N,)`, numbers of the images in the data set.
        labels: int64 `(N,)`, the right answers.
        probabilities: float32 `(N, K)`.
    """

    indices: Indices
    labels: Labels
    probabilities: Floats


def find_predictions(run: Path) -> Path:
    """The file of a run's predictions."""
    return run / "predictions" / "val.npz"


def write_predictions(run: Path, predictions: Predictions) -> None:
    """Write what a run says of its validation images.

    Raises:
        RecordError: the file cannot be written.
    """
    path = find_predictions(run)
    make_folder(path.parent)
    write_npz(path, **predictions._asdict())


def read_predictions(run: Path, num_classes: int | None = None) -> Predictions:
    """Read what a run says of its validation images.

    Args:
        run: its folder.
        num_classes: K, where it is known.

    Raises:
        RecordError: the file is missing or damaged, or holds what no predictions are.
    """
    path = find_predictions(run)
    predictions = Predictions(*read_npz(path, *Predictions._fields))
    fault = find_fault(predictions)
    if fault is None and num_classes not in (None, predictions.probabilities.shape[1]):
        fault = f"{predictions.probabilities.shape[1]} classes; its model has {num_classes}"
    if fault is not None:
        raise RecordError(f"{path} holds no predictions: {fault}")
    return predictions


def find_fault(predictions: Predictions) -> str | None:
    """What is wrong with arrays that should be predictions; None if nothing is."""
    indices, labels, probabilities = predictions
    for name, array in (("indices", indices), ("labels", labels)):
        if array.dtype != np.int64 or array.shape != probabilities.shape[:1]:
            return (
                f"'{name}' are {array.dtype!s:.40} of shape {array.shape!s:.80}; expected int64, "
                "one for each row of 'probabilities'"
            )
    if probabilities.dtype != np.float32 or probabilities.ndim != 2 or not len(probabilities):
        return (
            f"'probabilities' are {probabilities.dtype!s:.40} of shape "
            f"{probabilities.shape!s:.80}; expected float32 (N, K)"
        )
    K = probabilities.shape[1]
    if not MIN_CLASSES <= K <= MAX_CLASSES:
        return f"{K:,} classes; expected {MIN_CLASSES} to {MAX_CLASSES:,}"
    if indices.min() < 0 or len(np.unique(indices)) < len(indices):
        return "'indices' are below 0, or name an image twice"
    if labels.min() < 0 or labels.max() >= K:
        return f"'labels' run from {labels.min()} to {labels.max()}; expected 0 to {K - 1}"
    # So written that NaN, which no comparison holds for, is refused too.
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if not (probabilities.min() >= 0 and (np.abs(sums - 1) <= TOLERANCE).all()):
        return "'probabilities' that are below 0, not finite, or do not add up to 1"
    return None
