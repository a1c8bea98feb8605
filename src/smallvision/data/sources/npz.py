"""Images and labels in one `.npz`, under any of the usual names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.labels import LabelEncoding
from smallvision.data.sources.arrays import convert_arrays
from smallvision.data.sources.source import DecodedPart, Layout, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.records.files import DAMAGES, check_unpacked
from smallvision.shapes import Shape

# (images, labels) of each part; the first pair that is there counts.
KEYS: dict[Part, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("images", "labels"), ("x", "y")),
    "val": (("x_val", "y_val"),),
    "test": (("x_test", "y_test"),),
}


class NpzSource:
    """An `.npz` with `images`/`labels`, `x`/`y` or `x_train`/`y_train`.

    It may also hold `x_test`, `y_test`, `x_val`, `y_val` and `class_names`.
    """

    expects = "an .npz file"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe the file without decoding its images; see `Source`."""
        if not (place.is_file() and place.suffix == ".npz"):
            return None
        with _open(place) as arrays:
            keys = _find_keys(list(arrays))
        return Layout(
            source="npz",
            parts={part: partial(_read_part, place, keys["train"][1], keys[part]) for part in keys},
            place=place,
            files=(place,),
        )


def _find_keys(present: list[str]) -> dict[Part, tuple[str, str]]:
    keys: dict[Part, tuple[str, str]] = {}
    for part, pairs in KEYS.items():
        for pair in pairs:
            found = [key for key in pair if key in present]
            if len(found) == 1:
                raise DataError(f"it holds '{found[0]}' without its partner; expected {pair}")
            if found:
                keys.setdefault(part, pair)
    if "train" not in keys:
        raise DataError(
            f"it holds {', '.join(present) or 'nothing'}; expected images and labels, "
            "x and y, or x_train, y_train, x_test, y_test"
        )
    return keys


def _read_part(
    place: Path, train_labels: str, keys: tuple[str, str], _: Shape | None
) -> DecodedPart:
    with _open(place) as arrays:
        names = None
        if "class_names" in arrays:
            if arrays["class_names"].ndim != 1:
                raise DataError("class_names is no list; expected one name per class")
            names = [str(name) for name in arrays["class_names"]]
        encoding = LabelEncoding.fit(arrays[train_labels], names, train_labels)
        return convert_arrays(arrays[keys[0]], arrays[keys[1]], encoding, keys)


@contextmanager
def _open(place: Path) -> Iterator[Any]:
    """Open an npz, which must not hold Python objects, because those are pickles."""
    try:
        check_unpacked(place)
        with place.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except DAMAGES as error:
        raise DataError(
            f"it cannot be read as plain arrays ({error}); if it is damaged, make it again"
        ) from error
