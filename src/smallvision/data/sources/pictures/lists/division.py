"""The parts of pictures as lists beside them tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smallvision.data.sources.pictures.listing import Listing, PictureFile
from smallvision.data.sources.pictures.lists.picture_list import (
    Lists,
    PictureList,
    leave_out_joined,
)
from smallvision.data.sources.pictures.tree import show_inside
from smallvision.data.sources.source import LeftOut, Part, merge_left_out
from smallvision.errors import DataError

UNLISTED = "in no list of a part"


def divide_by_lists(listing: Listing, lists: Lists) -> Listing:
    """Divide the pictures of a source without declared parts as lists beside them tell.

    What no list names is trained on where none tells the training part, and left out otherwise.

    Raises:
        DataError: a picture is in the lists of two parts.
    """
    if listing.parts.keys() != {"train"}:
        return listing
    found = _find_division(lists.pictures, listing.root)
    if found is None:
        return listing
    used, told, note = found
    rest: Part | None = None if "train" in told.values() else "train"
    parts: dict[Part, list[PictureFile]] = {}
    unlisted = []
    for picture in listing.parts["train"]:
        part = told.get(picture.path, rest)
        if part is None:
            unlisted.append(picture.path)
        else:
            parts.setdefault(part, []).append(picture)
    if "train" not in parts or len(parts) < 2:
        return listing
    left_out = list(listing.left_out)
    if unlisted:
        left_out.append(LeftOut(UNLISTED, len(unlisted), show_inside(unlisted[0], listing.root)))
    return replace(
        listing,
        parts=parts,
        left_out=merge_left_out(left_out),
        notes=(*listing.notes, note),
        lists=(*listing.lists, *sorted({one.path for one in used})),
    )


def _find_division(
    lists: Sequence[PictureList], root: Path
) -> tuple[list[PictureList], Mapping[str, Part], str] | None:
    """The lists that divide the pictures, the part of each picture, and a sentence about it."""
    for one in lists:
        if told := one.tell_parts():
            return [one], told, f"{show_inside(one.path, root)} tells the parts."
    named = [one for one in lists if one.part]
    numbers = sorted({one.number for one in named})
    chosen = leave_out_joined([one for one in named if one.number == numbers[0]])
    if not {one.part for one in chosen} & {"val", "test"}:
        return None
    return chosen, _join_parts(chosen, root), _describe(chosen, numbers, root)


def _join_parts(lists: Sequence[PictureList], root: Path) -> Mapping[str, Part]:
    told: dict[str, tuple[Part, Path]] = {}
    for one in lists:
        for picture in one.pictures:
            if one.part is None or picture is None:
                continue
            part, path = told.setdefault(picture, (one.part, one.path))
            if part != one.part:
                raise DataError(
                    f"{show_inside(picture, root)} is in the lists {show_inside(path, root)} and "
                    f"{show_inside(one.path, root)}; a picture belongs to one part: correct or "
                    "remove a list"
                )
    return {picture: part for picture, (part, _) in told.items()}


def _describe(chosen: Sequence[PictureList], numbers: Sequence[int], root: Path) -> str:
    *first, last = sorted({show_inside(one.path, root) for one in chosen})
    names = f"{', '.join(first)} and {last}" if first else last
    verb = "tell" if first else "tells"
    more = f", the first of {len(numbers)} divisions that are listed" if len(numbers) > 1 else ""
    return f"{names} {verb} the parts{more}."
