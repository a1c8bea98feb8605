"""Files that list pictures: texts with a line for each, and tables of paths.

Sets are published with lists of many forms: one for each part (`train.txt`), one that tells the
part of every picture (`train_test_split.txt`), with paths, names without their endings, or numbers
that a further list (`images.txt`) tells the pictures of.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from smallvision.data.decoding.formats.lists import LIST_SUFFIXES, Line, read_list
from smallvision.data.decoding.formats.rows import TABLE_SUFFIXES, read_rows
from smallvision.data.sources.pictures.columns import (
    SAMPLE,
    PictureIndex,
    find_pictures,
    may_divide,
    name_columns,
    tell_split,
)
from smallvision.data.sources.pictures.tree import TreeFolder
from smallvision.data.sources.source import Part, tell_part
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES

MOST_FILES = 64
LOOKED_AT = 200  # lines, half of which must name a picture before all are looked up
SHARE = 0.95  # of the lines that must name a picture; a few may have been lost since
GONE = "listed, and not there or there more than once"
_JOINED = re.compile("train[ _-]?val(?![a-z])", re.IGNORECASE)
# Names of texts that tell the part of every picture.
_DIVIDES = re.compile("partition|splits?(?![a-z])|train.*test", re.IGNORECASE)
# Names of texts that tell something else of each picture than its class.
_NO_CLASSES = re.compile("box|size|attr|loc|point|landmark|pose|split|partition", re.IGNORECASE)


@dataclass(frozen=True)
class PictureList:
    """A file that lists pictures.

    Attributes:
        path: of the file.
        names: what each line calls its picture.
        pictures: the picture of each line, or None where it is not there.
        columns: what the lines say besides, by the names of the columns; of a text, the rest of
            each line by the name of the file.
        is_text: whether it is a text, without columns.
    """

    path: Path
    names: list[str]
    pictures: list[str | None]
    columns: Mapping[str, list[str]]
    is_text: bool = True

    @property
    def part(self) -> Part | None:
        """The part that the name of a text tells."""
        return tell_part(self.path.stem) if self.is_text else None

    @property
    def number(self) -> int:
        """In its name, where there are several divisions (`train1.txt`, `train2.txt`)."""
        numbers = re.findall(r"\d+", self.path.stem)
        return int(numbers[-1][:9]) if numbers else 0

    def tell_classes(self, known: Collection[str] = ()) -> list[str] | None:
        """The class in each line of a text; None where the lines tell none.

        Of several numbers the first counts: of a class, a coarser one, and so on.

        Args:
            known: classes of training pictures, which few lines of another part may tell too.
        """
        (rests,) = self.columns.values() if self.is_text else ([],)
        if not rests or not all(rests) or _NO_CLASSES.search(self.path.stem):
            return None
        if all(re.fullmatch(r"\d+(?:[\s,;]+\d+)+", rest) for rest in rests):
            rests = [first_word(rest) for rest in rests]
        enough = 2 <= len(set(rests)) <= min(MAX_CLASSES, len(rests) // 2)
        return rests if enough or (known and {*rests} <= {*known}) else None

    def tell_parts(self) -> dict[str, Part]:
        """The part of each picture, where a column, or a text with such a name, tells it."""
        for name, words in self.columns.items():
            if self.is_text and not _DIVIDES.search(name):
                continue
            if not self.is_text and not may_divide(name):
                continue
            told = tell_split(name, {*words})
            parts = {
                picture: part
                for picture, word in zip(self.pictures, words, strict=True)
                if picture and (part := told.get(word))
            }
            if parts:
                return parts
        return {}


@dataclass(frozen=True)
class Lists:
    """What the texts and tables in some folders say.

    Attributes:
        pictures: those that list pictures.
        others: the lines of other texts.
    """

    pictures: list[PictureList] = field(default_factory=list)
    others: dict[Path, list[Line]] = field(default_factory=dict)


def first_word(text: str) -> str:
    """What stands before the first space, comma or semicolon."""
    return re.split(r"[\s,;]", text, maxsplit=1)[0]


def may_list(name: str) -> bool:
    """Whether a file is called like a text or a table."""
    return name.lower().endswith((*LIST_SUFFIXES, *TABLE_SUFFIXES))


def is_list(name: str) -> bool:
    """Whether a file is called like a text that lists something."""
    return name.lower().endswith(LIST_SUFFIXES)


def read_lists(trees: Sequence[TreeFolder], index: PictureIndex) -> Lists:
    """Read the texts and tables beside pictures, those of the outer folders first."""
    found = {path for tree in trees for path in _find_files(tree)}
    files = sorted(found, key=lambda path: (len(path.parts), path))[:MOST_FILES]
    texts = {path: lines for path in files if is_list(path.name) and (lines := _read(path))}
    ids: dict[str, str] = {}
    for lines in texts.values():
        ids = ids or _read_ids(lines, index)
    read = [_look_up(path, texts[path], index, ids) for path in texts]
    read += [_read_table(path, index) for path in files if not is_list(path.name)]
    pictures = [one for one in read if one]
    listed = {one.path for one in pictures}
    return Lists(pictures, {path: text for path, text in texts.items() if path not in listed})


def read_one_list(path: Path, index: PictureIndex) -> PictureList | None:
    """A text that the user named, if it lists pictures."""
    return _look_up(path, _read(path), index, {}) if is_list(path.name) else None


class _HasPath(Protocol):
    @property
    def path(self) -> Path: ...


Told = TypeVar("Told", bound=_HasPath)


def leave_out_joined(files: Sequence[Told]) -> list[Told]:
    """Some files without those of the training and validation part together (`trainval.txt`)."""
    joined = [one for one in files if _JOINED.search(one.path.stem)]
    parts = {tell_part(one.path.stem) for one in files if one not in joined}
    return [one for one in files if not (one in joined and {"train", "val"} <= parts)]


def _find_files(tree: TreeFolder) -> Iterator[Path]:
    for folder in tree.walk():
        for name in folder.others:
            # Those of a class tell of nothing else.
            beside = folder is tree or not folder.pictures or tell_part(folder.name)
            if is_list(name) or (beside and name.lower().endswith(TABLE_SUFFIXES)):
                yield folder.path / name


def _read(path: Path) -> list[Line]:
    try:
        return read_list(path, path.name)
    except DataError:
        return []


def _read_ids(lines: Sequence[Line], index: PictureIndex) -> dict[str, str]:
    """The picture of each number or word, of a text that tells these; empty of any other."""
    ids: dict[str, str] = {}
    for place, line in enumerate(lines):
        number, *rest = line.name.split(maxsplit=1)
        picture = index.find(rest[0], "", None) if rest else None
        if number in ids:
            return {}
        if picture:
            ids[number] = picture
        if 2 * len(ids) < min(place, LOOKED_AT):
            return {}
    return ids if len(ids) >= SHARE * len(lines) else {}


def _look_up(
    path: Path, lines: Sequence[Line], index: PictureIndex, ids: Mapping[str, str]
) -> PictureList | None:
    """The list in a text whose lines name pictures; None where it is no such list."""
    if ids and lines and sum(line.name in ids for line in lines) >= SHARE * len(lines):
        pictures = [ids.get(line.name) for line in lines]
        return _make_list(path, lines, pictures)
    kept, pictures, part = [], [], tell_part(path.stem)
    for place, line in enumerate(lines):
        picture = index.find(line.name, "", part)
        if picture is None and line.rest and (picture := index.find(line.text, "", part)):
            line = Line(line.text, "", line.text)
        if picture is None and place == 0:
            continue  # names of columns
        kept.append(line)
        pictures.append(picture)
        if place == LOOKED_AT and 2 * pictures.count(None) > place:
            return None
    found = len(pictures) - pictures.count(None)
    return _make_list(path, kept, pictures) if found and found >= SHARE * len(kept) else None


def _make_list(path: Path, lines: Sequence[Line], pictures: list[str | None]) -> PictureList:
    columns = {path.stem: [line.rest for line in lines]}
    return PictureList(path, [line.name for line in lines], pictures, columns)


def _read_table(path: Path, index: PictureIndex) -> PictureList | None:
    try:
        table = name_columns(read_rows(path, path.name), index)
        part = tell_part(path.stem)
        samples = [
            [index.find(row[i], "", part) for row in table.rows[:SAMPLE]]
            for i in range(len(table.columns))
        ]
        image = find_pictures(table, samples)
    except DataError:
        return None
    pictures = [index.find(row[image], "", part) for row in table.rows]
    there = [picture for picture in pictures if picture]
    if len({*there}) < SHARE * len(there):
        return None  # a class `1` may be called like 1.png
    columns = {
        name: [row[i] for row in table.rows] for i, name in enumerate(table.columns) if i != image
    }
    names = [row[image] for row in table.rows]
    return PictureList(path, names, pictures, columns, is_text=False)
