"""Pictures in one folder per class, with or without folders of parts above or inside of them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smallvision.data.decoding.labels import sort_names
from smallvision.data.sources.pictures.chosen import find_chosen
from smallvision.data.sources.pictures.columns import PictureIndex
from smallvision.data.sources.pictures.groups import FOLDER, group_pictures
from smallvision.data.sources.pictures.listing import Listing, PictureFile, lay_out
from smallvision.data.sources.pictures.lists.class_names import name_classes
from smallvision.data.sources.pictures.lists.division import divide_by_lists
from smallvision.data.sources.pictures.lists.loose import find_loose_classes
from smallvision.data.sources.pictures.lists.picture_list import GONE, Lists, may_list, read_lists
from smallvision.data.sources.pictures.meaning import LOOSE, UNLABELLED, Reading, read_chosen
from smallvision.data.sources.pictures.tree import (
    EMPTY,
    TreeFolder,
    count_others,
    read_tree,
    show_inside,
)
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    merge_left_out,
    tell_part,
)
from smallvision.errors import DataError


class FolderSource:
    """A folder of class folders; the classes are the folder names.

    The class folders may lie in folders whose names tell a part (`train/`, `val/`, `test/` and the
    like), or be divided into these, or lists beside them tell the parts. `meaning.py` says what
    each folder means; whatever is in no part is counted.
    """

    expects = "a folder that holds a folder of pictures for each class"
    takes: tuple[str, ...] = (
        "image_size",
        "fit",
        "train",
        "val",
        "test",
        "group_by",
        "min_per_class",
        "suffixes",
        "strict",
    )

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a folder without decoding its pictures; see `Source`.

        Raises:
            DataError: there are no class folders, the tree can be read in two ways, a training
                class is empty, or the training part lacks a class of another part.
        """
        if not place.is_dir():
            return None
        try:
            layout = lay_out(list_folder(place, options), "folder of images", options)
        except DataError as error:
            raise DataError(_name_as_typed(str(error), place)) from error
        return replace(layout, place=place)


def _name_as_typed(text: str, place: Path) -> str:
    """A text in which folders below a place, which were read by absolute paths, are as typed."""
    return re.sub(rf"{re.escape(str(place.absolute()))}(?![\w.-])", lambda _: str(place), text)


def list_folder(place: Path, options: SourceOptions) -> Listing:
    """List the pictures of a folder: their classes, parts and groups, and what is left out.

    Raises:
        DataError, SettingError: as for `FolderSource.recognize`.
    """
    place = place.absolute()  # as parts may lie elsewhere
    root, left_out = read_tree(place, options.suffixes)
    chosen = find_chosen(root, left_out, options)
    reading = read_chosen(chosen, root, grouped=options.group_by == FOLDER)
    if options.min_per_class is None:
        _refuse_empty(chosen.trees, reading)
    parts: dict[Part, list[PictureFile]] = {
        part: [
            PictureFile(path, name)
            for name in sort_names(list(classes))
            for path in classes[name].list_pictures()
        ]
        for part, classes in reading.parts.items()
    }
    notes = tuple(reading.notes)
    if not chosen.parts:
        notes += _describe_siblings(place)
    if options.group_by is not None:
        homes = {
            (part, name): folder.path
            for part, classes in reading.parts.items()
            for name, folder in classes.items()
        }
        parts, said = group_pictures(parts, homes, options.group_by)
        notes += said
    above = Path(os.path.commonpath([tree.path for tree in chosen.trees]))
    listing = Listing(above, parts, notes=notes)
    lists = _read_lists(chosen.trees, above)
    labelled: list[TreeFolder] = []
    if not chosen.parts:
        listing, labelled = _add_loose(listing, reading, lists)
        listing = divide_by_lists(listing, lists)
    listing = name_classes(listing, lists)
    rest = [
        each
        for tree in chosen.trees
        for each in _count_rest(tree, reading, labelled, place, {*listing.lists})
    ]
    return replace(listing, left_out=merge_left_out([*chosen.left_out, *rest, *listing.left_out]))


def _read_lists(trees: Sequence[TreeFolder], above: Path) -> Lists:
    """What texts and tables beside the pictures say of them."""
    names = (name for tree in trees for folder in tree.walk() for name in folder.others)
    if not any(map(may_list, names)):
        return Lists()
    index = PictureIndex(above, (path for tree in trees for path in tree.list_pictures()))
    return read_lists(trees, index)


def _add_loose(
    listing: Listing, reading: Reading, lists: Lists
) -> tuple[Listing, list[TreeFolder]]:
    """Add parts whose pictures lie in no class folders, where a list tells their classes.

    Returns: the listing, and the folders of these parts.
    """
    labelled = []
    known = {picture.path: picture.label for picture in listing.parts["train"]}
    for folder, reason in reading.reasons.items():
        part = tell_part(folder.name)
        if reason != UNLABELLED or part is None or part in listing.parts:
            continue
        pictures = folder.list_pictures()
        told = find_loose_classes(pictures, lists, known)
        if told is None:
            continue
        found = [PictureFile(path, told.classes[path]) for path in pictures if path in told.classes]
        lost = [path for path in pictures if path not in told.classes]
        listing = replace(
            listing,
            parts={**listing.parts, part: found},
            left_out=(
                *listing.left_out,
                *_count(UNLABELLED, lost, listing.root),
                *_count(GONE, told.gone, listing.root),
            ),
            notes=(
                *listing.notes,
                f"{show_inside(told.path, listing.root)} tells the classes of the pictures in "
                f"{show_inside(folder.path, listing.root)}{os.sep}.",
            ),
            lists=(*listing.lists, told.path),
        )
        labelled.append(folder)
    return listing, labelled


def _count(reason: str, paths: Sequence[str], root: Path) -> tuple[LeftOut, ...]:
    return (LeftOut(reason, len(paths), show_inside(paths[0][:200], root)),) if paths else ()


def _refuse_empty(trees: Sequence[TreeFolder], reading: Reading) -> None:
    """Refuse an empty folder among the class folders of the training part, as it lost its pictures.

    Raises:
        DataError: there is one.
    """
    homes = {folder.path.parent for folder in reading.parts["train"].values()}
    for folder in (each for tree in trees for each in tree.walk() if each.path in homes):
        for each in folder.folders:
            if each.is_empty and len(homes) == 1:
                raise DataError(
                    f"class folder '{each.name}' of train holds no images; add some or remove it, "
                    "or leave out rare classes with --min-per-class (in Python min_per_class=)"
                )


def _describe_siblings(place: Path) -> tuple[str, ...]:
    """A sentence about the other parts beside a training part that was named alone."""
    if tell_part(place.name) != "train":
        return ()
    try:
        with os.scandir(place.parent) as entries:
            beside = sorted(
                entry.name
                for entry in entries
                if tell_part(entry.name) in ("val", "test") and entry.is_dir()
            )
    except OSError:  # what lies beside the folder is not needed
        return ()
    return tuple(
        f"{name}{os.sep} lies beside {place.name}{os.sep} and is not used; name the folder around "
        "both to use it."
        for name in beside
    )


def _count_rest(
    tree: TreeFolder,
    reading: Reading,
    labelled: Sequence[TreeFolder],
    root: Path,
    used: Collection[Path],
) -> Iterator[LeftOut]:
    """Count what lies in a tree and is neither in a class folder nor used to read it."""
    listed = {folder for classes in reading.parts.values() for folder in classes.values()}
    listed |= {*labelled}
    yield from count_others((path for path in tree.list_others() if path not in used), root)
    yield from _count_folder(tree, LOOSE, listed, reading.reasons, root)


def _count_folder(
    folder: TreeFolder,
    reason: str | None,
    listed: set[TreeFolder],
    reasons: Mapping[TreeFolder, str],
    root: Path,
) -> Iterator[LeftOut]:
    """Count a folder; `reason` is why its pictures are in no part, or None where they are."""
    reason = None if folder in listed else reasons.get(folder, reason)
    if reason is not None and folder.pictures:
        example = show_inside(folder.path / folder.pictures[0], root)
        yield LeftOut(reason, len(folder.pictures), example)
    if not (folder.pictures or folder.others or folder.folders):
        yield LeftOut(EMPTY, 1, show_inside(folder.path, root))
    for each in folder.folders:
        yield from _count_folder(each, reason, listed, reasons, root)
