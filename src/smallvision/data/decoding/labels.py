"""Labels of a source, as whole numbers in range or as names that are encoded as numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from smallvision.errors import DataError
from smallvision.shapes import Labels

# K names, or a dict between labels and names in either direction.
ClassNames: TypeAlias = Sequence[Any] | Mapping[Any, Any]


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


def sort_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names in the order that people expect: class 2 comes before class 10."""

    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        if name[:1] == "-" and name[1:].isdecimal():  # below zero, the largest first
            digits = name[1:].lstrip("0")
            return [(-1, -len(digits), ""), (-int(digits[:300] or "0"), 0, "")], name
        pieces = []
        for piece in re.findall(r"\d+|\D+", name):
            digits = piece.lstrip("0")  # text, because a number of 5,000 digits is none for Python
            pieces.append((0, len(digits), digits) if piece.isdecimal() else (1, 0, piece))
        return pieces, name

    return tuple(sorted(set(names), key=key))


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
        keys: the label of each class, as text; None where labels are positions in `class_names`.
    """

    class_names: tuple[str, ...]
    keys: tuple[str, ...] | None

    @classmethod
    def fit(cls, labels: Any, class_names: ClassNames | None, where: str) -> LabelEncoding:
        """Find the encoding from the training labels and the class names, if there are any.

        Args:
            labels: as for `flatten_labels`. The columns of a table of one-hot rows name the
                classes where nothing else does.
            class_names: K names, or a dict from labels to names (`{0: "cat"}`), or from names to
                labels (`{"cat": 0}`).
            where: what to call the labels in an error.

        Raises:
            DataError: the labels are of no usual kind, one is missing or negative, which often
                marks an image without a label, or the names are not those of the labels.
        """
        flat = flatten_labels(labels, where)
        columns = getattr(labels, "columns", ())
        if class_names is None and len(columns) > 1:
            class_names = list(columns)
        if isinstance(class_names, Mapping):
            return _fit_dict(flat, class_names, where)
        if class_names is not None:
            names = tuple(str(name) for name in class_names)
            if flat.dtype.kind == "U":
                return cls(names, names)
            if flat.dtype.kind != "b" and len(flat) and (flat.min(), flat.max()) == (1, len(names)):
                return cls(names, tuple(str(k) for k in range(1, len(names) + 1)))
            return cls(names, None)
        distinct = np.unique(flat)
        if distinct.dtype.kind == "i" and len(distinct) and distinct[0] < 0:
            raise DataError(f"{where} run from {distinct[0]}; remove images without a label")
        words = [str(value) for value in distinct]
        names = sort_names(words) if flat.dtype.kind == "U" else tuple(words)
        return cls(names, names)

    def encode(self, labels: Any, where: str) -> Labels:
        """Labels as int64 positions in `class_names`.

        Raises:
            DataError: a label is not one of the classes.
        """
        flat = flatten_labels(labels, where)
        if self.keys is None:
            return check_labels(
                flat.astype(int) if flat.dtype.kind == "b" else flat, len(self), where
            )
        position = {key: i for i, key in enumerate(self.keys)}
        if flat.dtype.kind == "b" and "False" not in position and "True" not in position:
            flat = flat.astype(int)
        distinct, inverse = np.unique(flat, return_inverse=True)
        unknown = [str(value) for value in distinct if str(value) not in position]
        if unknown:
            raise DataError(f"{where}: '{unknown[0]:.80}' is not among the training classes")
        return np.array([position[str(value)] for value in distinct], dtype=np.int64)[inverse]

    def __len__(self) -> int:
        return len(self.class_names)


def _fit_dict(flat: npt.NDArray[Any], class_names: Mapping[Any, Any], where: str) -> LabelEncoding:
    """The encoding of a dict in either direction, in the order of the labels."""
    flat = flat.astype(int) if flat.dtype.kind == "b" else flat
    found = {str(value) for value in np.unique(flat)}
    labels = {_spell(label): str(name) for label, name in class_names.items()}
    names = {_spell(name): str(label) for label, name in class_names.items()}
    numbered = all(isinstance(value, int | np.integer) for value in class_names.values())
    if flat.dtype.kind == "U" and numbered and found <= labels.keys():
        order = tuple(str(name) for name in sorted(class_names, key=class_names.__getitem__))
        return LabelEncoding(order, order)  # {"cat": 0}, and the labels are names
    for given in (labels, names):
        if found <= given.keys():
            keys = sort_names(list(given))
            return LabelEncoding(tuple(given[key] for key in keys), keys)
    unknown = min(found - labels.keys())
    raise DataError(f"{where}: class_names does not name '{unknown:.80}'; expected all labels")


def _spell(label: Any) -> str:
    """A label in a dict as its text in an array of labels."""
    if isinstance(label, bool | np.bool_):
        return str(int(label))
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def flatten_labels(values: Any, where: str) -> npt.NDArray[Any]:
    """Labels as a flat array of whole numbers, of bools, or of text.

    Args:
        values: an array, tensor, column or list: whole numbers (as floats too), bools, text, or
            one-hot rows; a `(N, 1)` column is flattened.
        where: what to call them in an error.

    Returns: `(N,)` of kind `i`, `u`, `b` or `U`.

    Raises:
        DataError: they are of another kind, such as fractions, or some are missing.
    """
    labels = _unwrap(as_array(values, where), where)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "iufb":
        return _read_one_hot(labels, where)
    if labels.ndim == 1 and labels.dtype.kind == "f":
        labels = _read_whole(labels, where)
    if labels.ndim != 1 or labels.dtype.kind not in "iubU":
        raise DataError(
            f"{where} have shape {labels.shape} and type {labels.dtype}; "
            "expected (N,) whole numbers or strings"
        )
    return labels


def as_array(values: Any, where: str) -> npt.NDArray[Any]:
    """Arrays, tensors of any library, columns of tables and nested lists as an array.

    Raises:
        DataError: they form none.
    """
    try:
        if isinstance(values, list | tuple):
            values = [fetch_tensor(value) for value in values]
        return np.asarray(fetch_tensor(values))
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(f"{where} do not form one array ({error})") from error


def fetch_tensor(value: Any) -> Any:
    """A tensor of torch as an array, wherever it lies; anything else as it is."""
    if not (hasattr(value, "detach") and hasattr(value, "cpu") and hasattr(value, "numpy")):
        return value
    value = value.detach().cpu()
    try:
        return value.numpy()
    except TypeError:  # numpy has no bfloat16
        return value.float().numpy()


def _unwrap(labels: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    """Python objects and encoded text as numbers or text."""
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "T":
        return labels.astype(str)
    if labels.dtype.kind != "O":
        return labels
    flat = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for value in labels.flat
    ]
    missing = [i for i, value in enumerate(flat) if _is_missing(value)]
    if missing:
        raise DataError(
            f"{where}: {len(missing):,} of {len(flat):,} are missing (first: number {missing[0]}); "
            "remove images without a label"
        )
    texts = sum(isinstance(value, str) for value in flat)
    if 0 < texts < len(flat):
        raise DataError(f"{where} are partly text and partly numbers; make them one or the other")
    try:
        return np.array(flat, dtype=str if texts else None).reshape(labels.shape)
    except ValueError as error:
        raise DataError(f"{where} do not form one array ({error})") from error


def _is_missing(value: Any) -> bool:
    """None, NaN, and what tables put where nothing is."""
    return (
        value is None
        or (isinstance(value, float) and np.isnan(value))
        or type(value).__name__ in ("NAType", "NaTType")
    )


def _read_one_hot(labels: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    ones = labels == 1
    if labels.shape[1] == 0 or not ((ones | (labels == 0)).all() and (ones.sum(axis=1) == 1).all()):
        raise DataError(
            f"{where} have shape {labels.shape} and are no one-hot rows (a single 1 among zeros); "
            "expected one class per image: (N,), or probabilities turned into it with "
            "argmax(axis=1)"
        )
    numbers: npt.NDArray[np.int64] = ones.argmax(axis=1)
    return numbers


def _read_whole(labels: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    missing = np.flatnonzero(np.isnan(labels))
    if len(missing):
        raise DataError(
            f"{where}: {len(missing):,} of {len(labels):,} are missing (first: number "
            f"{missing[0]}); remove images without a label"
        )
    if not (np.isfinite(labels).all() and (labels == np.rint(labels)).all()):
        raise DataError(
            f"{where} are fractions of type {labels.dtype}; expected (N,) whole numbers or strings"
        )
    return labels.astype(np.int64)
