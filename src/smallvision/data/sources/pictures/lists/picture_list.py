"""Files that list pictures: texts with a line for each, tables of paths, and MATLAB files.

Sets are published with lists of many forms: one for each part (`train.txt`), one that tells the
part of every picture (`train_test_split.txt`), with paths, names without their endings, or numbers
that a further list (`images.txt`) or the names of the pictures (`image_00001.jpg`) tell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

from smallvision.data.decoding.formats.lists import LIST_SUFFIXES, Line, read_list
from smallvision.data.decoding.formats.mat_tables import MAT_SUFFIX, read_mat_tables
from smallvision.data.decoding.formats.rows import TABLE_SUFFIXES, Rows, read_rows
from smallvision.data.sources.pictures.columns import (
    SAMPLE,
    NotThisTableError,
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
MOST_BESIDE = 20  # tables in one folder
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
        title: its name without the ending, or the name of a variable in it.
        names: what each line calls its picture.
        pictures: the picture of each line, or None where it is not there.
        columns: what the lines say besides, by the names of the columns; of a text, the rest of
            each line by the name of the file.
        is_text: whether it is a text, without columns.
    """

    path: Path
    title: str
    names: list[str]
    pictures: list[str | None]
    columns: Mapping[str, list[str]]
    is_text: bool = True

    @property
    def part(self) -> Part | None:
        """The part that the name of a text tells."""
        return tell_part(self.title) if self.is_text else None

    @property
    def number(self) -> int:
        """In its name, where there are several divisions (`train1.txt`, `train2.txt`)."""
        numbers = re.findall(r"\d+", self.title)
        return int(numbers[-1][:9]) if numbers else 0

    def tell_classes(self, known: Collection[str] = ()) -> list[str] | None:
        """The class in each line of a text; None where the lines tell none.

        Of several numbers the first counts: of a class, a coarser one, and so on.

        Args:
            known: classes of training pictures, which few lines of another part may tell too.
        """
        (rests,) = self.columns.values() if self.is_text else ([],)
        if not rests or not all(rests) or _NO_CLASSES.search(self.title):
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
class Text:
    """The lines of a text that lists no pictures.

    Attributes:
        path: of the file.
        title: its name without the ending, or the names of variables in it.
        lines: what it says.
    """

    path: Path
    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Lists:
    """What the texts and tables in some folders say.

    Attributes:
        pictures: those that list pictures.
        others: the other texts.
    """

    pictures: list[PictureList] = field(default_factory=list)
    others: list[Text] = field(default_factory=list)


def first_word(text: str) -> str:
    """What stands before the first space, comma or semicolon."""
    return re.split(r"[\s,;]", text, maxsplit=1)[0]


def may_list(name: str) -> bool:
    """Whether a file is called like a text or a table."""
    return is_list(name) or is_table_name(name)


def is_table_name(name: str) -> bool:
    """Whether a file is called like a table."""
    return name.lower().endswith((*TABLE_SUFFIXES, MAT_SUFFIX))


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
    tables = [path for path in files if is_table_name(path.name)]
    read += [one for path in tables for one in _read_listed(path, index)]
    pictures = [one for one in read if one]
    listed = {one.path for one in pictures}
    others = [Text(path, path.stem, text) for path, text in texts.items() if path not in listed]
    others += [text for path in tables for text in _read_texts(path, index)]
    return Lists(pictures, others)


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
        yield from (folder.path / name for name in folder.others if is_list(name))
        tables = [name for name in folder.others if is_table_name(name)]
        # Those of a class tell of nothing else, and many are of one picture each.
        beside = folder is tree or not folder.pictures or tell_part(folder.name)
        if beside and len(tables) <= MOST_BESIDE:
            yield from (folder.path / name for name in tables)


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
    return PictureList(path, path.stem, [line.name for line in lines], pictures, columns)


# tables -----------------------------------------------------------------------------------------


def read_tables(path: Path, name: str, index: PictureIndex) -> list[Rows]:
    """The tables in a file: one, or several in a MATLAB file.

    A table of MATLAB that is as long as there are pictures, and names none, has their order: by
    the numbers in their names. It gets a column of these.

    Args:
        path: of the file.
        name: what to call it in an error.
        index: the pictures.

    Raises:
        DataError: the file is damaged, or too large.
    """
    if not path.name.lower().endswith(MAT_SUFFIX):
        return [name_columns(read_rows(path, name), index)]
    return [_add_order(table, index) for table in read_mat_tables(path)]


def _add_order(table: Rows, index: PictureIndex) -> Rows:
    if len(table.rows) != len(index.numbered) or _names_pictures(table, index):
        return table
    names = [index.show(index.numbered[number]) for number in sorted(index.numbered)]
    rows = [(name, *row) for name, row in zip(names, table.rows, strict=True)]
    return Rows(("picture", *table.columns), rows)


def _names_pictures(table: Rows, index: PictureIndex) -> bool:
    try:
        find_pictures(table, sample_pictures(table, index))
    except NotThisTableError:
        return False
    return True


def sample_pictures(
    table: Rows, index: PictureIndex, beside: str = "", part: Part | None = None
) -> list[list[str | None]]:
    """The pictures that the first cells of each column name; see `PictureIndex.find`."""
    return [
        [index.find(row[i], beside, part) for row in table.rows[:SAMPLE]]
        for i in range(len(table.columns))
    ]


def _read_listed(path: Path, index: PictureIndex) -> Iterator[PictureList]:
    """The lists of pictures in a table, or in the tables of a MATLAB file."""
    for table in _try_tables(path, index):
        part = tell_part(path.stem)
        try:
            image = find_pictures(table, sample_pictures(table, index, part=part))
        except DataError:
            yield from _read_numbers(path, table, index)
            continue
        pictures = [index.find(row[image], "", part) for row in table.rows]
        there = [picture for picture in pictures if picture]
        if len({*there}) < SHARE * len(there):
            continue  # a class `1` may be called like 1.png
        columns = {
            name: [row[i] for row in table.rows]
            for i, name in enumerate(table.columns)
            if i != image
        }
        names = [row[image] for row in table.rows]
        yield PictureList(path, path.stem, names, pictures, columns, is_text=False)


def _read_numbers(path: Path, table: Rows, index: PictureIndex) -> Iterator[PictureList]:
    """The lists of numbers of pictures in a MATLAB file that are called like parts (`trnid`)."""
    for i, title in enumerate(table.columns):
        names = [row[i] for row in table.rows]
        numbers = [int(name) if name.isdecimal() else -1 for name in names]
        if tell_part(title) and all(number in index.numbered for number in numbers):
            pictures: list[str | None] = [index.numbered[number] for number in numbers]
            yield PictureList(path, title, names, pictures, {title: [""] * len(names)})


def _read_texts(path: Path, index: PictureIndex) -> Iterator[Text]:
    """The lists in a MATLAB file that might name classes, alone or beside numbers or codes."""
    if not path.name.lower().endswith(MAT_SUFFIX):
        return
    for table in _try_tables(path, index):
        if not 2 <= len(table.rows) <= MAX_CLASSES:
            continue
        for i, title in enumerate(table.columns):
            texts = [row[i] for row in table.rows]
            yield Text(path, title, [Line(text, "", text) for text in texts])
        for i, (first, second) in enumerate(pairwise(table.columns)):
            pairs = [row[i : i + 2] for row in table.rows]
            lines = [Line(code, name, f"{code} {name}") for code, name in pairs]
            yield Text(path, f"{first} {second}", lines)


def _try_tables(path: Path, index: PictureIndex) -> list[Rows]:
    try:
        return read_tables(path, path.name, index)
    except DataError:
        return []
