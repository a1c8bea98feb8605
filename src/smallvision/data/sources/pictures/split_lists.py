"""Text files beside class folders that list the pictures of each part, as many sets have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from smallvision.data.decoding.regular import read_regular
from smallvision.data.sources.pictures.columns import PictureIndex
from smallvision.data.sources.pictures.listing import Listing, PictureFile
from smallvision.data.sources.pictures.tree import TreeFolder, show_inside
from smallvision.data.sources.source import LeftOut, Part, merge_left_out, tell_part
from smallvision.errors import DataError

SUFFIXES = (".txt", ".lst", ".list")
MOST_BYTES, MOST_FILES = 20_000_000, 64
SHARE = 0.95  # of the lines that must name a picture; a few may have been lost since
UNLISTED = "in no list of a part"


@dataclass(frozen=True)
class SplitList:
    """The pictures of one part.

    Attributes:
        path: of the text file.
        part: that its name tells.
        number: in its name, where there are several divisions (`train1.txt`, `train2.txt`).
        pictures: their paths.
    """

    path: Path
    part: Part
    number: int
    pictures: tuple[str, ...]


def divide_by_lists(listing: Listing, trees: Sequence[TreeFolder]) -> Listing:
    """Divide the pictures of a source without declared parts as lists beside them tell.

    What no list names is trained on where none tells the training part, and left out otherwise.

    Raises:
        DataError: a picture is in the lists of two parts.
    """
    paths = [path for tree in trees for path in _find_texts(tree)][:MOST_FILES]
    if listing.parts.keys() != {"train"} or not paths:
        return listing
    pictures = {picture.path: picture for picture in listing.parts["train"]}
    index = PictureIndex(listing.root, pictures)
    lists = [one for path in paths if (one := _read_list(path, index))]
    numbers = sorted({one.number for one in lists})
    chosen = [one for one in lists if one.number == numbers[0]]
    if not {one.part for one in chosen} & {"val", "test"}:
        return listing
    told = _tell_parts(chosen, listing.root)
    rest: Part | None = None if any(one.part == "train" for one in chosen) else "train"
    parts: dict[Part, list[PictureFile]] = {}
    unlisted = []
    for path, picture in pictures.items():
        part = told.get(path, rest)
        if part is None:
            unlisted.append(path)
        else:
            parts.setdefault(part, []).append(picture)
    if "train" not in parts:
        return listing
    lost = [LeftOut(UNLISTED, len(unlisted), index.show(unlisted[0]))] if unlisted else []
    return replace(
        listing,
        parts=parts,
        left_out=merge_left_out([*listing.left_out, *lost]),
        notes=(*listing.notes, _describe(chosen, numbers, listing.root)),
        lists=tuple(sorted(one.path for one in chosen)),
    )


def _find_texts(tree: TreeFolder) -> Iterator[Path]:
    """Text files that may be lists, by their names."""
    for folder in tree.walk():
        for name in folder.others:
            if name.lower().endswith(SUFFIXES) and tell_part(Path(name).stem):
                yield folder.path / name


def _read_list(path: Path, index: PictureIndex) -> SplitList | None:
    """The list in a file whose lines name pictures; None where it is no such list."""
    part = tell_part(path.stem)
    try:
        content = read_regular(path, path.name, most=MOST_BYTES)
    except DataError:
        return None
    lines = [line.strip() for line in content.decode(errors="replace").splitlines()]
    lines = [line for line in lines if line]
    found = [picture for line in lines if (picture := _find(line, index))]
    if part is None or not found or len(found) < SHARE * len(lines):
        return None
    numbers = re.findall(r"\d+", path.stem)
    number = int(numbers[-1][:9]) if numbers else 0
    return SplitList(path, part, number, tuple(dict.fromkeys(found)))


def _find(line: str, index: PictureIndex) -> str | None:
    """The picture that a line names, alone or before its class."""
    for text in (line, re.split(r"[\s,;]+", line)[0]):
        if found := index.find(text, "", None):
            return found
    return None


def _tell_parts(lists: Sequence[SplitList], root: Path) -> Mapping[str, Part]:
    told: dict[str, tuple[Part, Path]] = {}
    for one in lists:
        for picture in one.pictures:
            part, path = told.setdefault(picture, (one.part, one.path))
            if part != one.part:
                raise DataError(
                    f"{show_inside(picture, root)} is in the lists {show_inside(path, root)} and "
                    f"{show_inside(one.path, root)}; a picture belongs to one part: correct or "
                    "remove a list"
                )
    return {picture: part for picture, (part, _) in told.items()}


def _describe(chosen: Sequence[SplitList], numbers: Sequence[int], root: Path) -> str:
    *first, last = sorted(show_inside(one.path, root) for one in chosen)
    names = f"{', '.join(first)} and {last}" if first else last
    verb = "tell" if first else "tells"
    more = f", the first of {len(numbers)} divisions that are listed" if len(numbers) > 1 else ""
    return f"{names} {verb} the parts{more}."
