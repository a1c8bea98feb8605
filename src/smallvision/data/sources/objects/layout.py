"""Objects in Python become a `Layout`: their parts, labels and pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.labels import ClassNames, LabelEncoding
from smallvision.data.decoding.resize import Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.arrays import PixelScale, pair_up, take_images
from smallvision.data.sources.objects.kinds import EXPECTED, is_pair_of_pairs
from smallvision.data.sources.objects.samples import DecodedColumn, Pairs, Samples, find_samples
from smallvision.data.sources.pictures.listing import Listing, PictureFile, lay_out
from smallvision.data.sources.source import (
    PART_NAMES,
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    ReadPart,
    SourceOptions,
)
from smallvision.errors import DataError, SettingError
from smallvision.shapes import Shape

TAKES = (
    *("image_size", "fit", "strict"),
    *("image_column", "label_column", "group_by", "min_per_class"),
)
OTHER_SPLIT = "in a split that is neither train, validation nor test"


def lay_out_objects(
    given: Mapping[Part, Any], class_names: ClassNames | None, options: SourceOptions
) -> Layout:
    """Describe objects that hold images with labels, and none of whose images is read yet.

    Args:
        given: the object of each part; the one of "train" may hold all parts.
        class_names: K names, a dict between labels and names, or None.
        options: of the user.

    Raises:
        DataError: an object holds no images with labels; the message names the right call.
        SettingError: an option that objects do not take.
    """
    objects, left_out = _split_parts(given)
    samples = {part: find_samples(value, options) for part, value in objects.items()}
    layout = lay_out_samples(samples, class_names, options)
    return replace(layout, left_out=(*layout.left_out, *left_out))


def lay_out_samples(
    samples: dict[Part, Samples], class_names: ClassNames | None, options: SourceOptions
) -> Layout:
    """Describe images and labels; see `lay_out_objects`."""
    if len(samples) == 1 and samples["train"].splits is not None:
        samples = _divide(samples["train"])
    names = {part: one.class_names for part, one in samples.items() if one.class_names}
    for part, others in names.items():
        if class_names is None and "train" in names and others != names["train"]:
            raise DataError(
                f"the classes of {part} are not those of train, or in another order; expected the "
                "same"
            )
    class_names = class_names or names.get("train")
    options.check(TAKES, f"this source ({samples['train'].kind})")
    notes = tuple(dict.fromkeys(note for one in samples.values() for note in one.notes))
    if all(one.has_paths for one in samples.values()):
        layout = _list_files(samples, class_names, notes, options)
    else:
        reader = _Reader(samples, class_names, options)
        parts: dict[Part, ReadPart] = {part: partial(reader.read, part) for part in samples}
        layout = Layout(samples["train"].kind, parts)
    return replace(layout, options=options)


def _split_parts(given: Mapping[Part, Any]) -> tuple[dict[Part, Any], tuple[LeftOut, ...]]:
    """The object of each part, and what a dict of parts holds besides."""
    whole = given["train"]
    if is_pair_of_pairs(whole):
        whole = {"train": whole[0], "test": whole[1]}
    named = isinstance(whole, Mapping) and any(str(key).lower() in PART_NAMES for key in whole)
    if not named:
        return dict(given), ()
    parts: dict[Part, Any] = {}
    left_out = []
    for key, value in whole.items():
        part = PART_NAMES.get(str(key).lower())
        if part is None:
            size = len(value) if hasattr(value, "__len__") else 1
            left_out.append(LeftOut(OTHER_SPLIT, size, str(key)))
        elif part in parts:
            raise DataError(f"'{key}' is a second part of kind {part}; expected one of each")
        else:
            parts[part] = value
    if "train" not in parts:
        raise DataError(f"it has {', '.join(map(str, whole))} but no 'train'; expected {EXPECTED}")
    for part, value in given.items():
        if part != "train" and part in parts:
            raise DataError(f"there are two objects of {part}: give one of them")
        if part != "train":
            parts[part] = value
    return parts, tuple(left_out)


def _divide(samples: Samples) -> dict[Part, Samples]:
    """The parts of a table with a column that names them."""
    words = np.array([PART_NAMES[word] for word in samples.splits or ()])
    if "train" not in words:
        raise DataError("the column of splits names no row 'train'")
    parts: dict[Part, Samples] = {}
    for part in dict.fromkeys(PART_NAMES.values()):
        rows = np.flatnonzero(words == part)
        if len(rows):
            parts[part] = replace(
                samples,
                images=_take(samples.images, rows),
                labels=_take(samples.labels, rows),
                groups=_take(samples.groups, rows),
                splits=None,
            )
    return parts


def _take(values: Any, rows: Any) -> Any:
    if values is None:
        return None
    if isinstance(values, np.ndarray):
        return values[rows]
    if isinstance(values, DecodedColumn):
        return DecodedColumn(values.table, values.column, rows)
    return tuple(values[i] for i in rows)


class _Reader:
    """Reads the parts, all with the encoding and the scale of the training images."""

    def __init__(
        self,
        samples: Mapping[Part, Samples],
        class_names: ClassNames | None,
        options: SourceOptions,
    ) -> None:
        self._samples, self._class_names, self._options = samples, class_names, options
        self._scale = PixelScale()
        self._encoding: LabelEncoding | None = None
        self._like: Preparation | None = None
        self._kept: tuple[str, ...] | None = None  # classes with enough training images

    def read(self, part: Part, _shape: Shape | None) -> DecodedPart:
        """Decode one part."""
        if self._like is None and part != "train":
            self.read("train", None)
        samples = self._samples[part]
        prefix = "" if part == "train" else f"{part}_"
        names = (f"{prefix}images", f"{prefix}labels")
        if not isinstance(samples.labels, Pairs):
            self._fit(samples.labels, names[1])
        like = None if part == "train" else self._like
        taken = take_images(samples.images, names[0], self._scale, options=self._options, like=like)
        labels = samples.labels
        if isinstance(labels, Pairs):
            labels = labels.list_labels(taken.kept or ())
            known = replace(taken, kept=range(len(labels)), left_out=())
        else:
            known = taken
        encoding = self._fit(labels, names[1])
        decoded = pair_up(known, encoding.encode(labels, names[1]), encoding.class_names, names)
        groups = samples.groups
        if groups is not None:
            kept = range(len(groups)) if taken.kept is None else taken.kept
            groups = tuple(groups[number] for number in kept)
        self._like = decoded.preparation if self._like is None else self._like
        notes = samples.notes + decoded.notes if part == "train" else decoded.notes
        decoded = replace(decoded, notes=notes, groups=groups, left_out=taken.left_out)
        least = self._options.min_per_class
        if least is None:
            return decoded
        self._kept = self._kept or find_frequent(decoded.images, least)
        return leave_out_rare(decoded, self._kept, least)

    def _fit(self, labels: Any, where: str) -> LabelEncoding:
        """The encoding of the training labels, which are the first that are asked about."""
        if self._encoding is None:
            self._encoding = LabelEncoding.fit(labels, self._class_names, where)
        return self._encoding


def find_frequent(images: ImageSet, least: int) -> tuple[str, ...]:
    """Names of the classes with enough training images, in their order.

    Raises:
        DataError: fewer than two classes have so many.
        SettingError: `least` is below 1.
    """
    if least < 1:
        raise SettingError(f"min_per_class is {least}; expected at least 1")
    names = zip(images.class_names, images.counts, strict=True)
    kept = tuple(name for name, count in names if count >= least)
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} of {images.num_classes:,} classes have {least:,} or more training "
            "images; expected two or more: lower min_per_class"
        )
    return kept


def leave_out_rare(decoded: DecodedPart, names: tuple[str, ...], least: int) -> DecodedPart:
    """A part without the images of all but some classes, which are told of."""
    images = decoded.images
    places = np.array([names.index(n) if n in names else -1 for n in images.class_names])
    labels = places[images.labels]
    kept = np.flatnonzero(labels >= 0)
    rare = np.flatnonzero(labels < 0)
    left_out = decoded.left_out
    if len(rare):
        reason = f"of a class with fewer than {least:,} training pictures"
        example = images.class_names[images.labels[rare[0]]]
        left_out = (*left_out, LeftOut(reason, len(rare), example))
    groups = decoded.groups
    return replace(
        decoded,
        images=ImageSet(images.images[kept], labels[kept], names),
        left_out=left_out,
        groups=None if groups is None else tuple(groups[number] for number in kept),
    )


def _list_files(
    samples: Mapping[Part, Samples],
    class_names: ClassNames | None,
    notes: tuple[str, ...],
    options: SourceOptions,
) -> Layout:
    """Describe picture files, which are decoded as those of a folder are."""
    encoding = LabelEncoding.fit(samples["train"].labels, class_names, "labels")
    parts: dict[Part, list[PictureFile]] = {}
    for part, one in samples.items():
        labels = encoding.encode(one.labels, "labels")
        paths = [Path(os.path.normpath(Path(path).expanduser().absolute())) for path in one.images]
        if len(paths) != len(labels):
            raise DataError(
                f"there are {len(paths):,} paths but {len(labels):,} labels; expected one label "
                "per image"
            )
        if not any(path.exists() for path in paths):
            raise DataError(
                f"none of the {len(paths):,} files exists (first: {one.images[0]}); expected whole "
                f"paths, or paths from the working folder {Path.cwd()}"
            )
        groups = one.groups or [None] * len(paths)
        parts[part] = [
            PictureFile(str(path), encoding.class_names[label], group)
            for path, label, group in zip(paths, labels, groups, strict=True)
        ]
    folders = {
        str(Path(picture.path).parent) for pictures in parts.values() for picture in pictures
    }
    root = Path(os.path.commonpath(folders))
    layout = lay_out(Listing(root, parts, notes=notes), "paths", options)
    # The same files may have other labels in the next table, so that no cache may hold them.
    return replace(layout, files=())
