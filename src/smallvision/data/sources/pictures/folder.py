"""Pictures in one folder per class, with or without `train/`, `val/` and `test/` above them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.image_files import list_pictures
from smallvision.data.sources.pictures.listing import Listing, Picture, lay_out
from smallvision.data.sources.source import PART_NAMES, Layout, Part, SourceOptions
from smallvision.errors import DataError

Classes: TypeAlias = dict[str, tuple[Path, ...]]  # class name -> its picture files, sorted


class FolderSource:
    """A folder of class folders; the classes are the sorted folder names.

    The class folders may lie in `train/`, beside which `val/` and `test/` may lie. Hidden files and
    files that are no pictures are ignored.
    """

    expects = "a folder that holds a folder of pictures for each class"
    takes: tuple[str, ...] = ("image_size", "fit", "strict")

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a folder without decoding its pictures; see `Source`.

        Raises:
            DataError: there are no class folders, a class has no images, a training class has one
                image, or `train/` lacks a class of `val/` or `test/`.
        """
        if not place.is_dir():
            return None
        parts = {part: _list_classes(folder) for part, folder in _find_parts(place).items()}
        _check_classes(parts, place)
        listed: dict[Part, tuple[Picture, ...]] = {
            part: tuple(Picture(path, name) for name, paths in classes.items() for path in paths)
            for part, classes in parts.items()
        }
        return lay_out(Listing(place, listed), "folder of images", options)


def _find_parts(root: Path) -> dict[Part, Path]:
    """Find the folder of each part; without such folders, the root itself is train.

    A folder called `train` is a part only if it holds folders; otherwise it is a class.
    """
    parts: dict[Part, Path] = {}
    for folder in _list_folders(root):
        part = PART_NAMES.get(folder.name.lower())
        if part is None or not _list_folders(folder):
            continue
        if part in parts:
            raise DataError(f"{folder.name} and {parts[part].name} are both {part}; remove one")
        parts[part] = folder
    if parts and "train" not in parts:
        raise DataError(f"there is {next(iter(parts.values())).name}/ but no train/ folder")
    return parts or {"train": root}


def _list_folders(root: Path) -> list[Path]:
    return sorted(
        entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )


def _list_classes(folder: Path) -> Classes:
    return {entry.name: list_pictures(entry) for entry in _list_folders(folder)}


def _check_classes(parts: Mapping[Part, Classes], root: Path) -> None:
    train = parts["train"]
    if not any(train.values()):
        loose = any(path.suffix.lower() in SUFFIXES for path in root.iterdir())
        reason = "the images lie loose" if loose else f"there are no images ({', '.join(SUFFIXES)})"
        raise DataError(f"{reason}; expected one folder per class")
    if len(train) < 2:
        raise DataError(f"there is one class folder ('{min(train)}'); expected at least two")
    for part, classes in parts.items():
        for name, paths in classes.items():
            if name not in train:
                raise DataError(f"{part} has a class '{name}' that train lacks")
            if not paths:
                raise DataError(
                    f"class folder '{name}' of {part} holds no images; add some or remove it"
                )
    for name, paths in train.items():
        if len(paths) < 2:
            raise DataError(f"class '{name}' has one image; add more or remove the folder")
