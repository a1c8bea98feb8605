"""Images and labels in one `.npz`, under any of the usual names."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from smallvision.data.decoding.labels import LabelEncoding, name_some
from smallvision.data.decoding.npz_file import Claim, open_npz
from smallvision.data.sources.arrays import convert_arrays
from smallvision.data.sources.source import DecodedPart, Layout, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES, Shape

MAX_NAME_BYTES = 800  # of a label: 200 characters

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
        with open_npz(place) as arrays:
            keys = _find_keys(arrays.names)
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
            f"it holds {name_some(present) or 'nothing'}; expected images and labels, "
            "x and y, or x_train, y_train, x_test, y_test"
        )
    return keys


def _read_part(
    place: Path, train_labels: str, keys: tuple[str, str], _: Shape | None
) -> DecodedPart:
    with open_npz(place) as arrays:
        names = None
        if "class_names" in arrays.names:
            claim = arrays.claim("class_names")
            if len(claim.shape) != 1:
                raise DataError("class_names is no list; expected one name per class")
            _check_text("class_names", claim, MAX_CLASSES)
            names = [str(name) for name in arrays.read("class_names")]
        pixels, labels = (arrays.claim(key) for key in keys)
        sizes = [claim.shape[0] if claim.shape else 0 for claim in (pixels, labels)]
        for key, claim in ((keys[1], labels), (train_labels, arrays.claim(train_labels))):
            _check_text(key, claim)
        if sizes[0] != sizes[1]:  # before memory is set aside for either
            raise DataError(
                f"there are {sizes[0]:,} {keys[0]} but {sizes[1]:,} {keys[1]}; expected one label "
                "per image"
            )
        encoding = LabelEncoding.fit(arrays.read(train_labels), names, train_labels)
        return convert_arrays(arrays.read(keys[0]), arrays.read(keys[1]), encoding, keys)


def _check_text(key: str, claim: Claim, most: int | None = None) -> None:
    """Refuse labels that take more memory than the images that they belong to."""
    if most is not None and claim.shape[0] > most:
        raise DataError(f"{key} holds {claim.shape[0]:,} names; expected at most {most:,}")
    if claim.dtype.itemsize > MAX_NAME_BYTES:
        raise DataError(
            f"{key} hold {claim.dtype.itemsize:,} bytes each; expected at most {MAX_NAME_BYTES:,}"
        )
    if math.prod(claim.shape[1:]) > MAX_CLASSES:
        raise DataError(f"{key} have shape {claim.shape}; expected one number or name per image")
