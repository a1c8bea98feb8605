"""What an object is: a pair, a table, or a data set of another library, told by what it can do.

No library is imported for it, so that none needs to be installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from PIL import Image

from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.labels import fetch_tensor
from smallvision.errors import DataError

EXPECTED = (
    "a name, a path, (images, labels), {'train': ..., 'test': ...}, a table with a column of "
    "pictures or paths and one of labels, or a torch or Hugging Face data set"
)


def is_table(value: Any) -> bool:
    """Whether it has columns with names: of pandas, polars, pyarrow, Hugging Face, or a dict."""
    return isinstance(value, Mapping) or (
        hasattr(value, "__getitem__")
        and hasattr(value, "__len__")
        and (hasattr(value, "column_names") or hasattr(value, "columns"))
        and not callable(getattr(value, "columns", None))
    )


def list_columns(table: Any) -> list[str]:
    """The names of the columns of a table."""
    names = getattr(table, "column_names", None)
    if names is None:
        names = table.keys() if isinstance(table, Mapping) else table.columns
    return [str(name) for name in names]


def is_pair(value: Any) -> bool:
    """Whether it is `(images, labels)`: two things with an entry for each image."""
    if not (isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_plural, value))):
        return False
    return not all(_is_sample(one) for one in value)


def is_pair_of_pairs(value: Any) -> bool:
    """Whether it is `((images, labels), (test_images, test_labels))`, as Keras has it."""
    return isinstance(value, tuple | list) and len(value) == 2 and all(map(is_pair, value))


def _is_sample(value: Any) -> bool:
    """Whether it is an image and its label."""
    if not (isinstance(value, tuple | list) and len(value) == 2):
        return False
    return not _is_plural(value[1]) and not is_image(value[1])


def is_image(value: Any) -> bool:
    """Whether a value may be the picture of one row."""
    value = fetch_tensor(value)
    if isinstance(value, Mapping):
        return "bytes" in value
    if isinstance(value, str | PathLike):
        return str(value).lower().endswith(SUFFIXES)
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], list)
    return isinstance(value, bytes | Image.Image) or getattr(value, "ndim", 0) >= 2


def is_label(value: Any) -> bool:
    """Whether a value may be the label of one row."""
    return isinstance(fetch_tensor(value), str | bool | int | float | np.generic) or (
        getattr(value, "ndim", None) == 0
    )


def _is_plural(value: Any) -> bool:
    if isinstance(value, str | bytes | PathLike | Mapping | Image.Image):
        return False
    shape = getattr(value, "shape", None)
    return bool(len(shape)) if shape is not None else hasattr(value, "__len__")


def is_sequence(value: Any) -> bool:
    """Whether it gives `(image, label)` for each number, as a torch data set does."""
    return (
        hasattr(value, "__getitem__")
        and hasattr(value, "__len__")
        and not isinstance(value, str | bytes | Mapping | np.ndarray)
        and not hasattr(value, "shape")
    )


def find_class_names(value: Any) -> Sequence[str] | Mapping[str, int] | None:
    """The class names of a torch data set, or of the one that it is a part of."""
    for _ in range(8):
        if (names := getattr(value, "classes", None)) is not None:
            return list(names)
        if isinstance(named := getattr(value, "class_to_idx", None), Mapping):
            return dict(named)
        parts = getattr(value, "datasets", None)
        value = parts[0] if parts else getattr(value, "dataset", None)
        if value is None:
            break
    return None


def refuse(value: Any) -> DataError:
    """The error about an object that holds no images with labels, with the right call."""
    name = type(value).__name__
    kind = f"an {name}" if name[0] in "AEIOUaeio" or name.startswith("ndarray") else f"a {name}"
    if hasattr(value, "batch_size") and hasattr(value, "dataset"):
        return DataError(f"{kind} gives batches; expected sv.load_data(loader.dataset)")
    if isinstance(value, Image.Image) or (hasattr(value, "shape") and hasattr(value, "dtype")):
        return DataError(
            f"{kind} alone has no labels; expected sv.load_data((images, labels)), or "
            "sv.classify(model, images) to classify them"
        )
    if hasattr(value, "__iter__") and not hasattr(value, "__len__"):
        return DataError(
            f"{kind} can be read once and in order; expected sv.load_data(list(pairs)) with "
            "pairs of (image, label)"
        )
    if hasattr(value, "predict"):
        return DataError(f"{kind} is no data set; expected sv.load_data({EXPECTED})")
    return DataError(f"{kind} holds no images with labels; expected {EXPECTED}")
