"""Labels of a source, as whole numbers in range or as names that are encoded as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallvision.errors import DataError
from smallvision.shapes import Labels


def check_labels(values: npt.ArrayLike, num_classes: int, where: str) -> Labels:
    """Labels as int64 `(N,)`.

    Raises:
        DataError: they are not whole numbers from 0 to `num_classes - 1`; names `where`.
    """
    labels = np.asarray(values)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{where} holds labels of type {labels.dtype} and shape {labels.shape}; "
            "expected one whole number per image"
        )
    if len(labels) == 0:
        raise DataError(f"{where} holds no images")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise DataError(
            f"{where} holds labels from {low} to {high}; "
            f"expected 0 to {num_classes - 1} ({num_classes} classes)"
        )
    return labels.astype(np.int64)


def name_some(names: Sequence[str], most: int = 10) -> str:
    """A list of names for an error, cut where it would fill the screen."""
    shown = ", ".join(f"{name:.40}" for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def check_lengths(images: int, labels: int, where: str) -> None:
    """Refuse a source with more images than labels, or the reverse.

    Raises:
        DataError: the numbers differ; names `where`.
    """
    if images != labels:
        raise DataError(f"{where} holds {images:,} images but {labels:,} labels")


@dataclass(frozen=True)
class LabelEncoding:
    """How the labels of a source are encoded as numbers from 0 to K - 1.

    Attributes:
        class_names: K names.
        by_position: whether labels are positions in `class_names`; otherwise they are the names.
    """

    class_names: tuple[str, ...]
    by_position: bool

    @classmethod
    def fit(cls, labels: Any, class_names: Sequence[str] | None, where: str) -> LabelEncoding:
        """Find the encoding from the training labels and the class names, if there are any.

        Raises:
            DataError: the labels are neither whole numbers nor strings, or one is negative,
                which often marks an image without a label.
        """
        flat = flatten_labels(labels, where)
        if class_names is not None:
            return cls(tuple(str(name) for name in class_names), flat.dtype.kind != "U")
        distinct = np.unique(flat)
        if distinct.dtype.kind == "i" and len(distinct) and distinct[0] < 0:
            raise DataError(f"{where} run from {distinct[0]}; remove images without a label")
        return cls(tuple(str(value) for value in distinct), by_position=False)

    def encode(self, labels: Any, where: str) -> Labels:
        """Labels as int64 positions in `class_names`.

        Raises:
            DataError: a label is not one of the classes.
        """
        flat = flatten_labels(labels, where)
        if self.by_position:
            return check_labels(flat, len(self.class_names), where)
        position = {name: i for i, name in enumerate(self.class_names)}
        distinct, inverse = np.unique(flat, return_inverse=True)
        unknown = [str(value) for value in distinct if str(value) not in position]
        if unknown:
            raise DataError(f"{where}: '{unknown[0]}' is not among the training classes")
        return np.array([position[str(value)] for value in distinct], dtype=np.int64)[inverse]


def flatten_labels(values: Any, where: str) -> npt.NDArray[Any]:
    """Labels as a flat array of whole numbers or strings; a `(N, 1)` column is flattened.

    Raises:
        DataError: they are of another kind, such as one-hot rows or fractions.
    """
    labels = np.asarray(values)
    if labels.dtype.kind == "O" and all(isinstance(value, str) for value in labels.flat):
        labels = labels.astype(str)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        raise DataError(
            f"{where} have shape {labels.shape}; expected (N,): "
            "turn one-hot rows into numbers with argmax(axis=1)"
        )
    if labels.ndim != 1 or labels.dtype.kind not in "iuU":
        raise DataError(
            f"{where} have shape {labels.shape} and type {labels.dtype}; "
            "expected (N,) whole numbers or strings"
        )
    return labels
