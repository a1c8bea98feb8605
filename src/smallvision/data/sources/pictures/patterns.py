"""Pictures whose classes stand in their names: `cat.0.png`, `Abyssinian_12.jpg`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from smallvision.data.sources.pictures.columns import PictureIndex, tell_parts
from smallvision.data.sources.pictures.groups import find_homes, group_pictures
from smallvision.data.sources.pictures.listing import Listing, PictureFile, lay_out
from smallvision.data.sources.pictures.lists.division import divide_by_lists
from smallvision.data.sources.pictures.lists.picture_list import read_lists
from smallvision.data.sources.pictures.tree import count_others, read_tree, show_inside
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    merge_left_out,
)
from smallvision.errors import DataError, SettingError

NO_MATCH = "a name that label_from does not match"
NO_LABEL = "no label"


class PatternSource:
    """A folder of pictures in whose names `label_from` finds the class.

    The pictures may lie in folders of parts (`train/`, `test/`), and in further folders.
    """

    expects = "a folder of pictures with their classes in their names (--label-from)"
    takes: tuple[str, ...] = (
        *("image_size", "fit", "strict", "label_from", "group_by", "min_per_class", "suffixes"),
    )

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a folder without decoding its pictures; see `Source`.

        Raises:
            DataError: no name matches, or there is no training picture among several parts.
            SettingError: `label_from` is no regular expression with one group.
        """
        if options.label_from is None or not place.is_dir():
            return None
        pattern = compile_label(options.label_from)
        tree, left_out = read_tree(place, options.suffixes)
        paths = tree.list_pictures()
        if not paths:
            raise DataError("there are no images")
        # A pattern is looked for in the name, or in the path inside if it speaks of folders.
        by_path = "/" in pattern.pattern
        matches = {
            path: pattern.search(inside if by_path else inside.rpartition("/")[2])
            for path, inside in _list_inside(paths, place)
        }
        labels = {path: found.group(1) for path, found in matches.items() if found}
        labels = {path: label for path, label in labels.items() if label}
        if not labels:
            raise DataError(
                f"label_from '{options.label_from}' matches no name of a picture, such as "
                f"{Path(paths[0]).name}"
            )
        parts = _tell_parts(place, labels)
        listed: dict[Part, list[PictureFile]] = {}
        reasons: dict[str, list[str]] = {}
        for path, inside in _list_inside(paths, place):
            if path in labels and (part := parts[path]):
                listed.setdefault(part, []).append(PictureFile(path, labels[path]))
                continue
            told = tell_parts(inside.rpartition("/")[0])
            reason = NO_LABEL if {"val", "test"} & {*told} else NO_MATCH
            reasons.setdefault(reason, []).append(path)
        rest = [
            LeftOut(reason, len(some), show_inside(some[0], place))
            for reason, some in reasons.items()
        ]
        notes: tuple[str, ...] = ()
        if options.group_by is not None:
            listed, notes = group_pictures(listed, find_homes(listed), options.group_by)
        listing = Listing(place, listed, notes=notes)
        index = PictureIndex(place, (picture.path for picture in listed["train"]))
        listing = divide_by_lists(listing, read_lists([tree], index))
        others = [path for path in tree.list_others() if path not in listing.lists]
        rest.extend(count_others(others, place))
        left_out = merge_left_out([*left_out, *rest, *listing.left_out])
        listing = replace(listing, left_out=left_out)
        return lay_out(listing, "pictures with classes in their names", options)


def compile_label(label_from: str) -> re.Pattern[str]:
    """The pattern that finds a class.

    Raises:
        SettingError: it is no regular expression with one group.
    """
    try:
        pattern = re.compile(label_from)
    except re.error as error:
        raise SettingError(
            f"label_from '{label_from}' is no regular expression ({error})"
        ) from error
    if pattern.groups != 1:
        raise SettingError(
            f"label_from is '{label_from}'; expected a regular expression with one group in "
            r"parentheses, such as '^([a-z]+)\.' for cat.0.png"
        )
    return pattern


def _list_inside(paths: Iterable[str], root: Path) -> Iterator[tuple[str, str]]:
    """Each path, and what it is below the root, with slashes."""
    start = len(os.path.join(root, ""))  # noqa: PTH118 -- paths are slow in thousands
    return ((path, path[start:].replace(os.sep, "/")) for path in paths)


def _tell_parts(root: Path, labels: dict[str, str]) -> dict[str, Part | None]:
    """The part of each picture: by its folders, if these tell training and other parts."""
    told: dict[str, Part | None] = {
        path: next(iter(tell_parts(inside.rpartition("/")[0])), None)
        for path, inside in _list_inside(labels, root)
    }
    found = {*told.values()}
    if found <= {"train", None} or "train" not in found:
        return dict.fromkeys(labels, "train")
    return told
