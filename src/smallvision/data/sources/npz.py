"""Images and labels in one `.npz` or in `.npy` files, under any of the usual names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from smallvision.data.decoding.labels import LabelEncoding, name_some
from smallvision.data.decoding.npz_file import Claim, NamedArrays, open_npy, open_npz
from smallvision.data.decoding.resize import Preparation
from smallvision.data.sources.arrays import PixelScale, convert_arrays
from smallvision.data.sources.source import (
    PART_NAMES,
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    SourceOptions,
)
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES, Shape

MAX_NAME_BYTES = 800  # of a label: 200 characters
NAMES = ("class_names", "classes", "label_names", "target_names")

# What the images and the labels of a part are called beside the word for the part; of two that are
# there, the first counts.
IMAGES = ("images", "image", "x", "imgs", "img", "pixels", "data", "features", "arr_0")
LABELS = ("labels", "label", "y", "targets", "target", "class", "arr_1")

Opener: TypeAlias = Callable[[], AbstractContextManager[NamedArrays]]


@dataclass(frozen=True)
class _Arrays:
    """Which arrays of a source hold what.

    Attributes:
        keys: `(images, labels)` of each part.
        names: the array of class names, or None.
        rest: names of arrays that look like images and are in no part.
    """

    keys: dict[Part, tuple[str, str]]
    names: str | None
    rest: tuple[str, ...]


class NpzSource:
    """An `.npz` with `images`/`labels`, `x_train`/`y_train`, `train_images`/`train_labels` etc.

    It may also hold the arrays of a test and a validation part, and `class_names`. Arrays in
    `.npy` files of such names are read too: a folder of them, or the file of the images.
    """

    expects = "an .npz file"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe the files without decoding images; see `Source`."""
        suffix = place.suffix.lower()
        if suffix == ".npz" and place.is_file():
            return _lay_out(place, partial(open_npz, place), (place,), "npz")
        if suffix == ".npy" and place.is_file():
            paths = list_npy(place.parent)
        elif place.is_dir():
            paths = list_npy(place)
            if not all(any(_split_key(name, role) for name in paths) for role in (IMAGES, LABELS)):
                return None
        else:
            return None
        return _lay_out(place, partial(open_npy, paths), tuple(paths.values()), "npy files")


def list_npy(folder: Path) -> dict[str, Path]:
    """The `.npy` files in a folder, by their names without the ending."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*.npy"))
        if path.is_file() and not path.name.startswith(".")
    }


def _lay_out(
    place: Path,
    opener: Opener,
    files: tuple[Path, ...],
    source: str,
    like: Preparation | None = None,
) -> Layout:
    with opener() as arrays:
        found = _find_arrays(arrays.names)
    left_out: tuple[LeftOut, ...] = ()
    if found.rest:
        left_out = (LeftOut("an array that belongs to no part", len(found.rest), found.rest[0]),)
    return Layout(
        source=source,
        parts={
            part: partial(_read_part, opener, found, part, None if part == "train" else like)
            for part in found.keys
        },
        place=place,
        files=files,
        left_out=left_out,
        prepare=partial(_lay_out, place, opener, files, source),
    )


def _find_arrays(present: Sequence[str]) -> _Arrays:
    """Find the arrays of each part by their names, whatever the case."""
    images = _list_roles(present, IMAGES)
    labels = _list_roles(present, LABELS)
    keys: dict[Part, tuple[str, str]] = {}
    used: set[str] = set()
    # Arrays without a word for a part are those of training, unless others say that they are.
    for part, word in (("train", "train"), ("train", None), ("val", "val"), ("test", "test")):
        ours: Part = part  # type: ignore[assignment]
        pair = images.get(word, []), labels.get(word, [])
        if not any(pair) or ours in keys:
            continue
        if not all(pair):
            lone = (pair[0] or pair[1])[0]
            partner = "labels" if pair[0] else "images"
            raise DataError(
                f"it holds '{lone}' without its partner; expected the {partner} beside it, "
                f"as in {_spell_pair(word)}"
            )
        keys[ours] = (pair[0][0], pair[1][0])
        used |= {*keys[ours]}
    if "train" not in keys:
        raise DataError(
            f"it holds {name_some(present) or 'nothing'}; expected images and labels, "
            "x and y, or x_train, y_train, x_test, y_test; of .npy files that hold one class each, "
            "name the folder"
        )
    names = next((key for key in present if key.lower() in NAMES), None)
    rest = [key for role in images.values() for key in role if key not in used]
    return _Arrays(keys, names, tuple(rest))


def _spell_pair(word: str | None) -> str:
    return "images and labels" if word is None else f"x_{word} and y_{word}"


def _list_roles(present: Sequence[str], role: tuple[str, ...]) -> dict[str | None, list[str]]:
    """The arrays of one role by their part, those that count first."""
    found: dict[str | None, list[tuple[int, str]]] = {}
    for key in present:
        split = _split_key(key, role)
        if split is not None:
            found.setdefault(split[0], []).append((split[1], key))
    return {part: [key for _, key in sorted(keys)] for part, keys in found.items()}


def _split_key(key: str, role: tuple[str, ...]) -> tuple[str | None, int] | None:
    """The part that a name tells, or None, and the rank of its other word in a role."""
    words = [word for word in re.split(r"[\W_]+", key.lower()) if word]
    parts = [PART_NAMES[word] for word in words if word in PART_NAMES]
    rest = "_".join(word for word in words if word not in PART_NAMES)
    if rest not in role or len(parts) > 1:
        return None
    return (parts[0] if parts else None), role.index(rest)


def _read_part(
    opener: Opener, found: _Arrays, part: Part, like: Preparation | None, _: Shape | None
) -> DecodedPart:
    keys, train_labels = found.keys[part], found.keys["train"][1]
    with opener() as arrays:
        names = None
        if found.names is not None:
            claim = arrays.claim(found.names)
            if len(claim.shape) != 1:
                raise DataError(f"{found.names} is no list; expected one name per class")
            _check_text(found.names, claim, MAX_CLASSES)
            names = [str(name) for name in arrays.read(found.names)]
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
        scale = None if like is None else PixelScale(bits=like.bits)
        return convert_arrays(arrays.rows(keys[0]), arrays.read(keys[1]), encoding, keys, scale)


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
