"""Which columns of a table name pictures, classes and parts, and which pictures the names mean."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from smallvision.data.decoding.columns import (
    IMAGE_NAMES,
    LABEL_NAMES,
    SPLIT_NAMES,
    spell_key,
)
from smallvision.data.decoding.formats.rows import Rows
from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.labels import name_some
from smallvision.data.sources.source import Part, SourceOptions, tell_part
from smallvision.errors import DataError, SettingError
from smallvision.shapes import MAX_CLASSES

SAMPLE = 500  # rows that are looked at to find the column of pictures
SHARE = 0.3  # of them that must name a picture
# Folders of pictures that describe other pictures, and have their names.
ANNOTATED = re.compile(
    r"masks?|trimaps?|annotations?|ground[ _-]?truths?|gt|thumb(?:nail)?s?", re.I
)
# A column that says of each picture whether it is in one part, and its two answers.
_FLAG = re.compile("(?:is)?((?:train|valid|val|test)[a-z]*)")
# Columns of sizes and of places in the picture.
_MEASURE = re.compile("b(?:ounding)?box.*|[xy](?:min|max|[0-9])|width|height")
_TRAIN_TEST = re.compile("train.*test", re.IGNORECASE)
_YES, _NO = frozenset(("1", "true", "yes")), frozenset(("0", "false", "no"))
_PART_WORDS: dict[str, Part] = {"eval": "test", "holdout": "test"}


class PictureIndex:
    """The picture files below a folder, found by what a table calls them.

    A table from a stranger names files anywhere; only those below the folder are found.
    """

    def __init__(self, root: Path, paths: Iterable[str]) -> None:
        self.root = root
        self._by_path: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        self._by_count: dict[str, list[str]] = {}
        self._start = len(os.path.join(root, ""))  # noqa: PTH118 -- paths are slow in thousands
        for path in paths:
            inside = self.show(path)
            self._by_path[inside] = path
            name = inside.rpartition("/")[2].lower()
            self._by_name.setdefault(name, []).append(inside)
            stem = _cut_suffix(name)
            self._by_stem.setdefault(stem, []).append(inside)
            if stem.isdecimal() and stem[0] == "0":
                self._by_count.setdefault(str(int(stem)), []).append(inside)

    @cached_property
    def numbered(self) -> dict[int, str]:
        """The pictures by the numbers in their names; empty where these do not count them."""
        found = {stem: re.findall(r"\d+", stem) for stem in self._by_stem}
        numbers = {int(all_[-1][-9:]): stem for stem, all_ in found.items() if all_}
        first = min(numbers, default=0)
        if first > 1 or len(numbers) != len(self) or max(numbers) - first + 1 != len(self):
            return {}
        return {number: self._by_path[self._by_stem[stem][0]] for number, stem in numbers.items()}

    def show(self, path: str) -> str:
        """The path of a picture below the root, with slashes."""
        return path[self._start :].replace(os.sep, "/")

    @property
    def paths(self) -> set[str]:
        """All pictures."""
        return set(self._by_path.values())

    def __len__(self) -> int:
        return len(self._by_path)

    def find(self, text: str, beside: str, part: Part | None) -> str | None:
        """The picture that a text means, or None where there is none or more than one.

        Args:
            text: a path in part or whole, with or without the suffix, of this machine or another;
                or a number, without the zeros before it that programs for tables take away.
            beside: the folder of the table below the root, or an empty text.
            part: what the name of the table tells, for names that several parts use.
        """
        wanted = text.replace("\\", "/").removeprefix("./").strip("/")
        for place in (f"{beside}/{wanted}", wanted) if beside else (wanted,):
            if place in self._by_path:
                return self._by_path[place]
        *folders, name = wanted.split("/")
        tables = (self._by_name, self._by_stem, self._by_count)
        found = next(filter(None, (table.get(name.lower()) for table in tables)), ())
        if not found:
            return None
        best: list[tuple[tuple[int, bool, bool, bool, bool], str]] = []
        for inside in found:
            *above, own = inside.split("/")
            shared = _count_shared(folders, above)
            near = not beside or inside.startswith(f"{beside}/")
            told = part is not None and part in tell_parts("/".join(above))
            plain = not any(ANNOTATED.fullmatch(folder) for folder in above)
            rank = (shared, near, told, plain, own in (name, _cut_suffix(name)))
            best.append((rank, inside))
        best.sort(reverse=True)
        if len(best) > 1 and best[0][0] == best[1][0]:
            return None
        return self._by_path[best[0][1]]


@lru_cache(maxsize=10_000)
def tell_parts(folders: str) -> tuple[Part, ...]:
    """The parts that folders, with slashes between them, tell by their names."""
    return tuple(part for folder in folders.split("/") if (part := tell_part(folder)))


def _cut_suffix(name: str) -> str:
    return name.rpartition(".")[0] if name.lower().endswith(SUFFIXES) else name.partition(".")[0]


def _count_shared(wanted: Sequence[str], above: Sequence[str]) -> int:
    """How many folders directly above the file two paths share."""
    count = 0
    for one, other in zip(reversed(wanted), reversed(above), strict=False):
        if one.lower() != other.lower():
            break
        count += 1
    return count


def name_columns(table: Rows, index: PictureIndex) -> Rows:
    """Names for the columns of a table whose first row names a picture already."""
    first = table.columns
    names = [
        i
        for i, cell in enumerate(first)
        if spell_key(cell) not in IMAGE_NAMES and index.find(cell, "", None)
    ]
    headless = any(index.find(row[i], "", None) for row in table.rows[:1] for i in names)
    if not (headless or any(cell.lower().endswith(SUFFIXES) for cell in first)):
        return table
    return Rows(tuple(f"column {i}" for i in range(1, len(first) + 1)), [first, *table.rows])


@dataclass(frozen=True)
class PictureColumns:
    """What the columns of a table mean.

    Attributes:
        image: position of the column that names pictures.
        labels: position of the column of classes, or those of one column for each class.
        split: position of the column of parts, or None.
        group: position of the column of groups, or None.
    """

    image: int
    labels: tuple[int, ...]
    split: int | None
    group: int | None

    @property
    def used(self) -> set[int | None]:
        """The positions of all of these."""
        return {self.image, *self.labels, self.split, self.group}


class NotThisTableError(DataError):
    """A table does not name pictures with their classes."""


class UnknownClassesError(NotThisTableError):
    """A table names pictures, and it cannot be told which column holds their classes."""


def find_columns(
    table: Rows,
    pictures: Sequence[Sequence[str | None]],
    options: SourceOptions,
    *,
    divided: bool = False,
) -> PictureColumns:
    """Find out what the columns of a table mean.

    Args:
        table: the table.
        pictures: what the first cells of each column find, `SAMPLE` at most.
        options: of the user.
        divided: whether folders divide the pictures too, so that only a column that is called like
            one of classes is one.

    Raises:
        NotThisTableError: no column names pictures.
        UnknownClassesError: it cannot be told which column holds the classes.
        SettingError: a column that the user named is not there.
    """
    keys = [*map(spell_key, table.columns)]
    image = _find_named(table, options.image_column, "image_column")
    label = _find_named(table, options.label_column, "label_column")
    split = _find_split(table, keys, {image, label})
    if image is None:
        image = find_pictures(table, pictures, {label, split})
    group = _find_group(table, options.group_by)
    rest = [i for i in range(len(keys)) if i not in (image, split, group)]
    labels = (label,) if label is not None else _find_labels(table, keys, rest, divided)
    return PictureColumns(image, labels, split, group)


def _find_named(table: Rows, wanted: str | None, option: str) -> int | None:
    if wanted is None:
        return None
    if wanted in table.columns:
        return table.columns.index(wanted)
    raise SettingError(f"{option} is '{wanted}'; the columns are {name_some(table.columns, 20)}")


def _find_group(table: Rows, group_by: str | None) -> int | None:
    return table.columns.index(group_by) if group_by in table.columns else None


def _find_split(table: Rows, keys: Sequence[str], taken: set[int | None]) -> int | None:
    """The column of parts: its name says so, and one of its words tells the training part."""
    named = [i for wanted in SPLIT_NAMES for i in range(len(keys)) if keys[i] == wanted]
    # Beside the pictures alone, `test` is what was found rather than a part.
    flags = [i for i in range(len(keys)) if _FLAG.match(keys[i]) and len(keys) > 2]
    for i in [*named, *flags]:
        if i not in taken and tell_split(table.columns[i], {row[i] for row in table.rows}):
            return i
    return None


def tell_split(name: str, words: Collection[str]) -> dict[str, Part | None]:
    """The part that each word of a column, or of a list, tells.

    Args:
        name: of the column or list; that of a flag tells what a yes means (`is_valid`).
        words: all that are there.

    Returns: nothing where they do not tell the training part.
    """
    told = {word: tell_word(word) for word in words}
    flags = {word: word.lower().removesuffix(".0") for word in words}
    if set(flags.values()) <= _YES | _NO:
        if _TRAIN_TEST.search(name):  # 1 is for training in CUB-200 and NABirds
            part: Part | None = "train"
        else:
            flag = _FLAG.match(spell_key(name))
            part = tell_part(flag[1]) if flag else None
        other: Part = "test" if part == "train" else "train"
        told = {word: part if flag in _YES else other for word, flag in flags.items() if part}
    elif set(words) == {"0", "1", "2"} and "partition" in name.lower():
        told = {"0": "train", "1": "val", "2": "test"}  # as CelebA has them
    return told if "train" in told.values() else {}


def tell_word(word: str) -> Part | None:
    """The part that a word in a column of parts tells."""
    return tell_part(word) or _PART_WORDS.get(word.lower())


def may_divide(name: str) -> bool:
    """Whether a column is called like one of parts."""
    key = spell_key(name)
    return key in SPLIT_NAMES or _FLAG.match(key) is not None


def find_pictures(
    table: Rows, pictures: Sequence[Sequence[str | None]], taken: Collection[int | None] = ()
) -> int:
    """The column whose cells name pictures; of several, the one that is called so.

    Args:
        table: the table.
        pictures: what the first cells of each column find.
        taken: columns that are known to hold something else.

    Raises:
        NotThisTableError: there is none.
    """
    keys = [*map(spell_key, table.columns)]
    ranks = []
    for i, cells in enumerate(pictures):
        found = {path for path in cells if path is not None}
        share = sum(path is not None for path in cells) / max(1, len(cells))
        if i not in taken and share >= SHARE and not _MEASURE.fullmatch(keys[i]):
            known = IMAGE_NAMES.index(keys[i]) if keys[i] in IMAGE_NAMES else len(IMAGE_NAMES)
            # A column of classes might be called like files too (`1` and 1.png).
            ranks.append((len(found), -known, -i))
    if not ranks:
        raise NotThisTableError(
            "none of its columns names pictures that lie in its folder; put the table beside or "
            "above them, or name the folder that holds both"
        )
    return -max(ranks)[2]


def _find_labels(
    table: Rows, keys: Sequence[str], rest: Sequence[int], divided: bool
) -> tuple[int, ...]:
    for wanted in LABEL_NAMES:
        for i in rest:
            if keys[i] == wanted and any(row[i] for row in table.rows):
                return (i,)
    marks = [i for i in rest if _is_marks(table, i)]
    if len(marks) > 1 and all(sum(_is_one(row[i]) for i in marks) == 1 for row in table.rows):
        return tuple(marks)
    fitting = [i for i in rest if _is_class_like(table, i) and not _MEASURE.fullmatch(keys[i])]
    # Of a class and a `user_id` or `patient.id`, no person means the second.
    fitting = [i for i in fitting if not keys[i].endswith("id")] or fitting
    if len(fitting) == 1 and not divided:
        return (fitting[0],)
    raise UnknownClassesError(
        f"it cannot be told which column holds the classes ({name_some(table.columns, 20)}); name "
        "it with --label-column (in Python label_column=)"
    )


def _is_marks(table: Rows, i: int) -> bool:
    return all(row[i] in ("0", "1", "0.0", "1.0") for row in table.rows)


def _is_one(text: str) -> bool:
    return text in ("1", "1.0")


def _is_class_like(table: Rows, i: int) -> bool:
    """Whether a column might hold classes: a few words, which come again."""
    counts = Counter(row[i] for row in table.rows if row[i])
    return 2 <= len(counts) <= min(MAX_CLASSES, sum(counts.values()) // 2)
