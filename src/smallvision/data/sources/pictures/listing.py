"""Picture files with labels, however a source names them: by folders, by a table, by a pattern.

Every source of picture files makes a `Listing`; this module alone turns one into a `Layout`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from smallvision.data.decoding.image_files import read_picture
from smallvision.data.decoding.resize import Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.pictures.reading import PictureBytes, read_pictures, spread
from smallvision.data.sources.source import DecodedPart, Layout, LeftOut, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Shape


@dataclass(frozen=True)
class Picture:
    """One picture file.

    Attributes:
        path: the file.
        label: the name of its class.
        group: a word that pictures of one person or burst share, or None.
    """

    path: Path
    label: str
    group: str | None = None


@dataclass(frozen=True)
class Listing:
    """The picture files of a source.

    Attributes:
        root: the folder that names are told from.
        parts: the pictures of each part, in the order in which they are read; "train" is there.
        left_out: what lies in the source and is not listed.
        notes: what was understood that a person should know, one sentence each.
    """

    root: Path
    parts: Mapping[Part, Sequence[Picture]]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def sort_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names in the order that people expect: class 2 comes before class 10."""

    def key(name: str) -> tuple[list[tuple[int, int, str]], str]:
        pieces = re.findall(r"\d+|\D+", name)
        return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces], name

    return tuple(sorted(set(names), key=key))


def lay_out(listing: Listing, source: str, options: SourceOptions) -> Layout:
    """Describe listed pictures without decoding them.

    Args:
        listing: the pictures.
        source: what the source is, for the records.
        options: of the user.

    Raises:
        DataError: there are no training pictures, or another part has a class that they lack.
    """
    return _lay_out(listing, source, options, None)


def _lay_out(
    listing: Listing, source: str, options: SourceOptions, like: Preparation | None
) -> Layout:
    train = listing.parts.get("train", ())
    if not train:
        raise DataError("there are no training pictures")
    class_names = sort_names([picture.label for picture in train])
    known = frozenset(class_names)
    for part, pictures in listing.parts.items():
        for picture in pictures:
            if picture.label not in known:
                raise DataError(f"{part} has a class '{picture.label}' that train lacks")
    return Layout(
        source=source,
        parts={
            part: partial(
                _read_part,
                listing.root,
                pictures,
                class_names,
                options,
                None if part == "train" else like,
            )
            for part, pictures in listing.parts.items()
        },
        place=listing.root,
        files=tuple(picture.path for pictures in listing.parts.values() for picture in pictures),
        left_out=listing.left_out,
        prepare=partial(_lay_out, listing, source, options),
    )


def _read_part(
    root: Path,
    pictures: Sequence[Picture],
    class_names: tuple[str, ...],
    options: SourceOptions,
    like: Preparation | None,
    shape: Shape | None,
) -> DecodedPart:
    if like is None and shape is not None:
        like = Preparation(shape)
    files = [
        PictureBytes(name, partial(read_picture, picture.path, name))
        for picture in pictures
        for name in [str(picture.path.relative_to(root))]
    ]
    read = read_pictures(files, len(files), sample=spread(files), options=options, like=like)
    numbers = {name: number for number, name in enumerate(class_names)}
    kept = [pictures[i] for i in read.kept]
    labels = np.array([numbers[picture.label] for picture in kept], dtype=np.int64)
    if like is None:
        for number in np.flatnonzero(np.bincount(labels, minlength=len(class_names)) == 0):
            raise DataError(f"no picture of class '{class_names[number]}' can be read")
    groups = tuple(picture.group for picture in kept)
    return DecodedPart(
        ImageSet(read.stacked.images, labels, class_names),
        read.stacked.notes + read.notes,
        read.left_out,
        groups=None if None in groups else cast("tuple[str, ...]", groups),
        origins=read.origins,
        preparation=read.stacked.preparation,
        sizes=read.stacked.sizes,
    )
