"""Picture files with labels, however a source names them: by folders, by a table, by a pattern.

Every source of picture files makes a `Listing`; this module alone turns one into a `Layout`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.image_files import read_picture
from smallvision.data.decoding.labels import name_some, sort_names
from smallvision.data.decoding.resize import Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.pictures.reading import PictureBytes, read_pictures, spread
from smallvision.data.sources.pictures.tree import show_inside
from smallvision.data.sources.source import (
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    merge_left_out,
)
from smallvision.errors import DataError, SettingError, nearest
from smallvision.shapes import Shape

MOST_NAMED = 12  # classes in a message


@dataclass(frozen=True)
class PictureFile:
    """One picture file.

    Attributes:
        path: of the file, as text, since there may be hundreds of thousands.
        label: the name of its class.
        group: a word that pictures of one person or burst share, or None.
    """

    path: str
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
        lists: files that the parts were read from.
    """

    root: Path
    parts: Mapping[Part, Sequence[PictureFile]]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    lists: tuple[Path, ...] = ()


def lay_out(listing: Listing, source: str, options: SourceOptions) -> Layout:
    """Describe listed pictures without decoding them.

    Args:
        listing: the pictures.
        source: what the source is, for the records.
        options: of the user.

    Raises:
        DataError: there are no training pictures, one of their classes has a single one, or
            another part has a class that they lack.
    """
    if options.min_per_class is not None:
        listing = leave_out_rare(listing, options.min_per_class)
    return _lay_out(listing, source, options, None)


def _lay_out(
    listing: Listing, source: str, options: SourceOptions, like: Preparation | None
) -> Layout:
    class_names = _find_classes(listing)
    pictures = [picture.path for each in listing.parts.values() for picture in each]
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
        files=(*listing.lists, *pictures),
        left_out=listing.left_out,
        notes=(*listing.notes, *_describe_alike(class_names)),
        prepare=partial(_lay_out, listing, source, options),
    )


def leave_out_rare(listing: Listing, least: int) -> Listing:
    """The listing without the classes that have fewer training pictures.

    Raises:
        DataError: fewer than two classes stay.
        SettingError: `least` is below 1.
    """
    if least < 1:
        raise SettingError(f"min_per_class is {least}; expected at least 1")
    counts = Counter(picture.label for picture in listing.parts.get("train", ()))
    kept = {label for label, count in counts.items() if count >= least}
    if len(kept) < 2:
        raise DataError(
            f"{len(kept)} of {len(counts):,} classes have {least:,} or more training pictures; "
            "expected two or more: lower min_per_class"
        )
    rare = [
        picture
        for pictures in listing.parts.values()
        for picture in pictures
        if picture.label not in kept
    ]
    if not rare:
        return listing
    reason = f"of a class with fewer than {least:,} training pictures"
    left_out = LeftOut(reason, len(rare), show_inside(rare[0].path, listing.root))
    parts = {
        part: [picture for picture in pictures if picture.label in kept]
        for part, pictures in listing.parts.items()
    }
    return replace(
        listing,
        parts={part: pictures for part, pictures in parts.items() if pictures},
        left_out=merge_left_out([*listing.left_out, left_out]),
    )


def _find_classes(listing: Listing) -> tuple[str, ...]:
    """The classes of the training pictures, in order.

    Raises:
        DataError: there are none, one of them has a single picture, or another part has more.
    """
    counts = Counter(picture.label for picture in listing.parts.get("train", ()))
    if not counts:
        raise DataError("there are no training pictures")
    for label, count in counts.items():
        if count < 2:
            raise DataError(
                f"class '{label}' has one image; add more or remove the folder, or leave out such "
                "classes with --min-per-class 2 (in Python min_per_class=2)"
            )
    for part, pictures in listing.parts.items():
        for label in sort_names([picture.label for picture in pictures]):
            if label not in counts:
                hint = nearest(label, counts) if len(counts) <= MOST_NAMED else ""
                raise DataError(f"{part} has a class '{label}' that train lacks{hint}")
    return sort_names(list(counts))


def _describe_alike(class_names: Sequence[str]) -> tuple[str, ...]:
    """A sentence about classes whose names differ in capital letters alone, as slips make them.

    Single letters are left out: where these are the classes, both cases are meant.
    """
    spelled: dict[str, list[str]] = {}
    for name in class_names:
        if len(name) > 1:
            spelled.setdefault(name.casefold(), []).append(f"'{name}'")
    alike = [" and ".join(names) for names in spelled.values() if len(names) > 1]
    if not alike:
        return ()
    return (
        f"Classes that differ in capital letters alone: {name_some(alike)}; each spelling is a "
        "class of its own.",
    )


def _list_files(root: Path, pictures: Iterable[PictureFile]) -> Iterator[PictureBytes]:
    for picture in pictures:
        name = show_inside(picture.path, root)
        yield PictureBytes(name, partial(read_picture, picture.path, name))


def _read_part(
    root: Path,
    pictures: Sequence[PictureFile],
    class_names: tuple[str, ...],
    options: SourceOptions,
    like: Preparation | None,
    shape: Shape | None,
) -> DecodedPart:
    if like is None and shape is not None:
        like = Preparation(shape)
    read = read_pictures(
        _list_files(root, pictures),
        len(pictures),
        sample=_list_files(root, spread(pictures)),
        options=options,
        like=like,
    )
    numbers = {name: number for number, name in enumerate(class_names)}
    kept = [pictures[i] for i in read.kept.tolist()]
    labels = np.array([numbers[picture.label] for picture in kept], dtype=np.int64)
    if like is None:
        for number in np.flatnonzero(np.bincount(labels, minlength=len(class_names)) == 0):
            raise DataError(f"no picture of class '{class_names[number]}' can be read")
    groups = None
    if any(picture.group is not None for picture in kept):
        groups = tuple(
            f"alone: {show_inside(picture.path, root)}" if picture.group is None else picture.group
            for picture in kept
        )
    return DecodedPart(
        ImageSet(read.stacked.images, labels, class_names, read.names),
        read.stacked.notes + read.notes,
        read.left_out,
        groups=groups,
        origins=read.origins,
        preparation=read.stacked.preparation,
        sizes=read.stacked.sizes,
    )
