"""A folder with all that lies in it, read once: pictures, other files, and folders."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from mimetypes import MimeTypes
from pathlib import Path

from smallvision.data.decoding.image import SUFFIXES, read_size
from smallvision.data.decoding.image_files import read_picture
from smallvision.data.decoding.regular import FolderScan, leads_to_folder
from smallvision.data.sources.source import LeftOut
from smallvision.errors import DataError

# What systems and tools put into folders by themselves.
JUNK_FOLDERS = frozenset({"__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN"})
JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})

HIDDEN = "hidden"
BEHIND_LINK = "behind a link"
NO_PICTURE = "no picture"
UNNAMED = "a picture without a usual suffix, which --suffix takes"
EMPTY = "an empty folder"

MOST_ENDINGS = 50  # of which a file is looked into
_TYPES = MimeTypes()


@dataclass(eq=False)
class TreeFolder:
    """A folder of the tree.

    Attributes:
        path: of the folder.
        pictures: names of the picture files that lie in it, sorted.
        others: names of the other files that lie in it, sorted.
        folders: the folders that lie in it, sorted by name.
    """

    path: Path
    pictures: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    folders: list[TreeFolder] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.name

    @cached_property
    def total(self) -> int:
        """Pictures at any depth."""
        return len(self.pictures) + sum(folder.total for folder in self.folders)

    @cached_property
    def holding(self) -> list[TreeFolder]:
        """The folders in it that hold pictures at any depth."""
        return [folder for folder in self.folders if folder.total]

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is no file at any depth."""
        return not (self.pictures or self.others) and all(each.is_empty for each in self.folders)

    def walk(self) -> Iterator[TreeFolder]:
        """The folder itself, and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def list_pictures(self) -> list[str]:
        """The paths of the picture files at any depth, sorted.

        They are text: to make and compare a hundred thousand `Path`s takes as long as to decode a
        tenth of the pictures.
        """
        return sorted(self._walk_pictures(str(self.path)))

    def _walk_pictures(self, place: str) -> Iterator[str]:
        for name in self.pictures:
            yield f"{place}{os.sep}{name}"
        for folder in self.folders:
            yield from folder._walk_pictures(f"{place}{os.sep}{folder.name}")

    def list_others(self) -> list[Path]:
        """The paths of the other files at any depth."""
        return [folder.path / name for folder in self.walk() for name in folder.others]

    def unwrap(self, known: Collection[str] = ()) -> TreeFolder:
        """The folder inside of it that divides the pictures: a lone folder only wraps others.

        Args:
            known: names of classes, whose folders wrap nothing.
        """
        lone = self.holding[0] if len(self.holding) == 1 and not self.pictures else None
        return lone.unwrap(known) if lone and lone.holding and lone.name not in known else self

    def without(self, excluded: Collection[TreeFolder]) -> TreeFolder | None:
        """The folder without some of those in it; None where nothing is left."""
        if self in excluded:
            return None
        kept = [each for folder in self.folders if (each := folder.without(excluded))]
        same = all(one is other for one, other in zip(kept, self.folders, strict=False))
        if same and len(kept) == len(self.folders):
            return self
        if not (kept or self.pictures or self.others):
            return None
        return TreeFolder(self.path, self.pictures, self.others, kept)


def read_tree(
    root: Path, suffixes: Sequence[str] | None = None
) -> tuple[TreeFolder, tuple[LeftOut, ...]]:
    """Read what lies in a folder at any depth, by names alone.

    Links to files count as files. A link to a folder is followed where it leads out of the tree;
    one that leads back into it might form a cycle, and so might one behind another link.

    Args:
        root: the folder.
        suffixes: endings of further files that are pictures; `*` for any.

    Returns: the tree, and the hidden pictures and the links that are not in it.

    Raises:
        DataError: a folder cannot be read, or there are more or deeper entries than any data set
            has.
    """
    reader = _TreeReader(root, suffixes or ())
    return reader.read(root, 0, False), tuple(reader.left_out)


class _TreeReader:
    def __init__(self, root: Path, suffixes: Sequence[str]) -> None:
        self._root = root
        self._all = "*" in suffixes
        further = tuple(f".{ending.lower().lstrip('.')}" for ending in suffixes)
        self._endings = (*SUFFIXES, *further)
        self._scan = FolderScan("it")
        place = os.path.realpath(root)
        self._walked, self._above = {place}, set(_list_above(place))
        self.left_out: list[LeftOut] = []

    def read(self, place: Path, depth: int, through_link: bool) -> TreeFolder:
        folder = TreeFolder(place)
        for entry in self._scan.list_entries(place, depth):
            if entry.name.startswith(".") or entry.name in JUNK_FOLDERS:
                self._count_hidden(entry, depth)
            elif entry.is_dir(follow_symlinks=False):
                folder.folders.append(self.read(place / entry.name, depth + 1, through_link))
            elif leads_to_folder(entry):
                if not through_link and self._leads_out(entry):
                    folder.folders.append(self.read(place / entry.name, depth + 1, True))
                else:
                    self._leave_out(BEHIND_LINK, place / entry.name)
            elif self._is_picture(entry.name):
                folder.pictures.append(entry.name)
            elif entry.name.lower() not in JUNK_FILES:
                folder.others.append(entry.name)
        return folder

    def _is_picture(self, name: str) -> bool:
        if self._all:
            return name.lower() not in JUNK_FILES
        return name.lower().endswith(self._endings)

    def _leads_out(self, entry: os.DirEntry[str]) -> bool:
        """Whether a link leads to a folder of which nothing was walked; it is then noted."""
        place = os.path.realpath(entry.path)
        above = _list_above(place)
        if place in self._above or not self._walked.isdisjoint((place, *above)):
            return False
        self._walked.add(place)
        self._above.update(above)
        return True

    def _count_hidden(self, entry: os.DirEntry[str], depth: int) -> None:
        """Count the pictures that are hidden; what macOS adds to each file (`._x.png`) is none."""
        if not entry.is_dir(follow_symlinks=False):
            if entry.name.lower().endswith(self._endings) and not entry.name.startswith("._"):
                self._leave_out(HIDDEN, Path(entry.path))
        elif not self._scan.ends_at(depth):
            for below in self._scan.list_entries(entry.path, depth + 1):
                self._count_hidden(below, depth + 1)

    def _leave_out(self, reason: str, path: Path) -> None:
        self.left_out.append(LeftOut(reason, 1, show_inside(path, self._root)))


def count_others(paths: Iterable[Path], root: Path) -> tuple[LeftOut, ...]:
    """Count the files that have no suffix of pictures, those that are pictures all the same apart.

    One file of each ending is looked into, unless the ending is known to be of something else.
    """
    kinds: dict[str, list[Path]] = {}
    for path in paths:
        kinds.setdefault(path.suffix.lower(), []).append(path)
    counted = []
    for number, (ending, some) in enumerate(kinds.items()):
        told = _TYPES.guess_type(f"x{ending}")[0]
        looked_into = number < MOST_ENDINGS and (told is None or told.startswith("image/"))
        reason = UNNAMED if looked_into and _is_picture_inside(some[0]) else NO_PICTURE
        counted.append(LeftOut(reason, len(some), show_inside(some[0], root)))
    return tuple(counted)


def _is_picture_inside(path: Path) -> bool:
    try:
        read_size(read_picture(path, path.name), path.name)
    except DataError:
        return False
    return True


def show_inside(path: str | Path, root: Path) -> str:
    """What to call a file or folder of a source: its path inside, as text that can be recorded."""
    text, above = str(path), _end_with_separator(root)
    if text == str(root):
        return "."
    inside = text.removeprefix(above)
    return inside if inside.isascii() else os.fsencode(inside).decode("utf-8", "backslashreplace")


@cache
def _end_with_separator(root: Path) -> str:
    return os.path.join(root, "")  # noqa: PTH118 -- of `/` it is `/`


def _list_above(place: str) -> list[str]:
    return [str(parent) for parent in Path(place).parents]
