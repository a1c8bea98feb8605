"""What the folders of a tree mean: which are parts, which are classes, and what belongs to neither.

A tree that can be read in two ways is refused, with both readings.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.sources.pictures.chosen import ChosenParts
from smallvision.data.sources.pictures.tree import UNNAMED, TreeFolder, count_others
from smallvision.data.sources.source import PART_NAMES, Part, tell_part
from smallvision.data.sources.unread import explain_unread
from smallvision.errors import DataError

ClassFolders: TypeAlias = dict[str, TreeFolder]  # the name of a class -> the folder of its pictures

LOOSE = "loose, outside of the class folders"
UNLABELLED = "without a label"
BESIDE = "outside of the named parts"
# Names that say that the pictures below have no labels.
UNLABELLED_NAMES = ("pred", "unlabel", "submission", "unknown")
# Names of folders that say what kind of files lies in them, all in one of these.
FILE_WORDS = re.compile(
    "(?:(?:jpe?g|png|raw|original)?[ _-]?(?:images?|imgs?|pictures?|pics?|photos?))|jpe?gs?|pngs?|"
    "annotations?|labels?|masks?|trimaps?|ground[ _-]?truths?|gt|b(?:ounding)?[ _-]?box(?:es)?|"
    "(?:semantic[ _-])?segmentation(?:s|class|object)?|thumb(?:nail)?s?|previews?",
    re.IGNORECASE,
)
CHOOSE = "choose with --train DIR, --val DIR and --test DIR (in Python train=, val= and test=)"
OTHERWISE = (
    "a table of file names and classes, or --label-from with a pattern of the names "
    "(in Python label_from=)"
)
# Classes that are the innermost folders, alike in all of the outer ones or each of its own.
INNERMOST = "--label-from '([^/]+)/[^/]+$'"
PAIRS = "--label-from '([^/]+/[^/]+)/[^/]+$'"
MOST_NAMED = 4  # folders in a message


@dataclass
class Reading:
    """What the folders of a tree mean.

    Attributes:
        parts: the class folders of each part; "train" is there.
        reasons: why pictures below some folders are in no part; all others lie loose.
        notes: what was understood that a person should know, one sentence each.
    """

    parts: dict[Part, ClassFolders]
    reasons: dict[TreeFolder, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_meaning(root: TreeFolder, *, grouped: bool = False) -> Reading:
    """Find the parts and the classes of a tree by the names and the depth of its folders.

    Args:
        root: the folder that the user named.
        grouped: the user said that folders inside of class folders are groups of pictures.

    Raises:
        DataError: there are no class folders, or the tree can be read in two ways.
    """
    folder = root
    while not (parts := _find_divided(folder)) and _holds_lone_folder(folder):
        folder = folder.holding[0]
    reading = _read_parts(folder, parts) if parts else _read_classes(folder, grouped)
    if folder is not root:
        inside = folder.path.relative_to(root.path)
        reading.notes.append(f"The pictures are those in {inside}{os.sep}.")
    return reading


def read_chosen(chosen: ChosenParts, root: TreeFolder, *, grouped: bool = False) -> Reading:
    """Take the parts that the user named, and find the training part where it is not among them.

    Args:
        chosen: the folders of the parts that the user named, if any.
        root: the folder that the user named.
        grouped: as for `read_meaning`.

    Raises:
        DataError: a folder holds no class folders, or there is no training part.
    """
    named = chosen.parts
    if not named:
        return read_meaning(root, grouped=grouped)
    if "train" in named:
        reading = Reading({"train": _list_chosen(named["train"], "train", ())})
        if chosen.rest:
            reading.reasons[chosen.rest] = BESIDE
    else:
        reading = read_meaning(chosen.rest or TreeFolder(root.path), grouped=grouped)
    for part in ("val", "test"):
        if part in named:
            # Folders that would be this part by their names are not, since another one was named.
            reading.reasons.update(dict.fromkeys(reading.parts.get(part, {}).values(), BESIDE))
            reading.parts[part] = _list_chosen(named[part], part, reading.parts["train"])
    return reading


def _list_chosen(folder: TreeFolder, part: Part, known: Collection[str]) -> ClassFolders:
    inner = folder.unwrap(known)
    if not inner.holding:
        raise DataError(
            f"{folder.path}, which is named for {part}, holds no class folders; expected one "
            "folder of pictures for each class"
        )
    return _list_classes(inner)


def _list_classes(folder: TreeFolder) -> ClassFolders:
    return {each.name: each for each in folder.holding}


# parts ------------------------------------------------------------------------------------------


def _find_divided(folder: TreeFolder) -> dict[TreeFolder, Part]:
    """The folders that are parts by their names; one without class folders may be a class."""
    told = {each: tell_part(each.name) for each in folder.holding}
    return {
        each: part
        for each, part in told.items()
        if part and len(each.unwrap().holding) >= (2 if part == "train" else 1)
    }


def _holds_lone_folder(folder: TreeFolder) -> bool:
    """Whether a folder cannot hold the class folders, as there is one alone, with more in it."""
    return len(folder.holding) == 1 and bool(folder.holding[0].holding)


def _read_parts(root: TreeFolder, named: Mapping[TreeFolder, Part]) -> Reading:
    found: dict[Part, TreeFolder] = {}
    for folder, part in named.items():
        if part in found:
            raise DataError(
                f"{folder.name} and {found[part].name} are both {part}; remove one, or {CHOOSE}"
            )
        found[part] = folder
    if "train" not in found:
        first = next(iter(named))
        beside = [folder for folder in root.holding if folder not in named]
        alone = set(_names(first.unwrap().holding)) & set(_names(beside))
        raise DataError(
            f"there is {first.name}/ but no train/ folder that holds class folders; "
            + (
                f"name it with --{named[first]} if {_quote(_names(beside))} are for training, or "
                if alone
                else "add it, or "
            )
            + CHOOSE
        )
    train = found.pop("train")
    classes = _list_classes(train.unwrap())
    unlabelled = [
        folder for folder in root.holding if folder is not train and _is_unlabelled(folder, classes)
    ]
    known = {*named, *unlabelled}
    _refuse_strangers(root, train, [folder for folder in root.holding if folder not in known])
    parts: dict[Part, ClassFolders] = {"train": classes}
    for part, folder in found.items():
        if folder not in unlabelled:
            parts[part] = _list_classes(folder.unwrap(classes))
    notes = [
        f"{folder.name}{os.sep} is read as the {part} part."
        for folder, part in named.items()
        if folder.name.lower() not in PART_NAMES and folder not in unlabelled
    ]
    return Reading(parts, dict.fromkeys(unlabelled, UNLABELLED), notes)


def _is_unlabelled(folder: TreeFolder, classes: Collection[str]) -> bool:
    """Whether a folder beside the training part holds pictures to predict, in no class folders.

    They lie loose, or in one folder that is none of the classes.
    """
    inner = folder.unwrap(classes)
    if len(inner.holding) > 1 or any(each.name in classes for each in inner.holding):
        return False
    told = any(word in folder.name.lower() for word in UNLABELLED_NAMES)
    return told or tell_part(folder.name) in ("val", "test")


def _refuse_strangers(root: TreeFolder, train: TreeFolder, strangers: Sequence[TreeFolder]) -> None:
    """Refuse folders of pictures beside the training part that are no part themselves."""
    if not strangers:
        return
    classes = {folder.name for folder in train.unwrap().holding}
    names = _quote(folder.name for folder in strangers)
    if any(classes & {each.name for each in folder.unwrap().holding} for folder in strangers):
        raise DataError(
            f"{names} beside the training part {train.name}{os.sep} holds pictures of its classes, "
            f"and its name tells no part; {CHOOSE}, or remove it"
        )
    raise DataError(
        f"this can be read in two ways: the classes are {_quote(_names(root.holding))}, or "
        f"{train.name}{os.sep} is the training part, its classes are {_quote(sorted(classes))}, "
        f"and the rest ({names}) is none of it; name {root.path} with --train for the first, "
        f"{train.path} for the second (in Python train=), and other parts with --val and --test"
    )


# classes ----------------------------------------------------------------------------------------


def _read_classes(root: TreeFolder, grouped: bool) -> Reading:
    held = root.holding
    if not held:
        raise DataError(_explain_absence(root))
    if len(held) < 2:
        raise DataError(
            f"there is one class folder ('{held[0].name}'){_tell_unnamed(root)}; expected at least "
            f"two, or {OTHERWISE}"
        )
    if inner := _read_inner_parts(held):
        note = "The parts are the folders inside of the class folders."
        return Reading(inner, notes=[note])
    _refuse_parts_without_classes(root)
    _refuse_kinds_of_files(root)
    _refuse_part_among_classes(root)
    if not grouped:
        _refuse_equal_folders(root)
        _refuse_deeper_folders(root)
    return Reading({"train": _list_classes(root)})


def _explain_absence(root: TreeFolder) -> str:
    expected = f"; expected one folder per class, or {OTHERWISE}"
    if root.pictures:
        return f"the images lie loose{_tell_unnamed(root)}{expected}"
    unnamed = _tell_unnamed(root)
    others = [name for folder in root.walk() for name in folder.others]
    if not unnamed and (unread := next(filter(None, map(explain_unread, others)), None)):
        return f"there are no images, and {unread}"
    return f"there are no images ({', '.join(SUFFIXES)}){unnamed}{expected}"


def _tell_unnamed(root: TreeFolder) -> str:
    """What is said of files that are pictures by their content alone, or an empty text."""
    for one in count_others(root.list_others(), root.path):
        if one.reason == UNNAMED:
            return (
                f", but files like {one.example} are pictures: add --suffix '*' "
                "(in Python suffixes=['*'])"
            )
    return ""


def _read_inner_parts(held: Sequence[TreeFolder]) -> dict[Part, ClassFolders] | None:
    """The parts where each class folder is divided by itself (`cat/train/`, `cat/test/`)."""
    parts: dict[Part, ClassFolders] = {}
    for folder in held:
        told = [tell_part(each.name) for each in folder.holding]
        divided = "train" in told and None not in told and len(set(told)) == len(told) > 1
        if not divided or folder.pictures or any(each.holding for each in folder.holding):
            return None
        for part, each in zip(told, folder.holding, strict=True):
            if part:
                parts.setdefault(part, {})[folder.name] = each
    return parts


def _refuse_parts_without_classes(root: TreeFolder) -> None:
    """Refuse `train/` and `test/` whose pictures lie loose: they are parts and no classes."""
    told = {folder.name: tell_part(folder.name) for folder in root.holding}
    named = [name for name, part in told.items() if part]
    if "train" in told.values() and len({told[name] for name in named}) > 1:
        raise DataError(
            f"{_quote(named)} are parts by their names and hold no class folders; sort their "
            f"pictures into a folder for each class, or give {OTHERWISE}; name {root.path} with "
            "--train if they are the classes"
        )


def _refuse_kinds_of_files(root: TreeFolder) -> None:
    """Refuse `images/` beside `annotations/` or `masks/`: these are kinds of files."""
    if all(FILE_WORDS.fullmatch(folder.name) for folder in root.holding):
        raise DataError(
            f"{_quote(_names(root.holding))} are kinds of files by their names and no classes; "
            f"give {OTHERWISE}, or name {root.path} with --train (in Python train=) if they are "
            "the classes"
        )


def _refuse_part_among_classes(root: TreeFolder) -> None:
    """Refuse a `test/` beside class folders: pictures to predict rather than a class.

    Only a name of one word counts, as there are test tubes; and a train is a thing to photograph.
    """
    for folder in root.holding:
        if tell_part(folder.name) in ("val", "test") and re.fullmatch(
            "[a-z]+[0-9]*", folder.name, re.I
        ):
            raise DataError(
                f"'{folder.name}' beside {_quote(_names(root.holding, but=folder))} can be a class "
                "or pictures without a label; move it elsewhere if it is no class, or name "
                f"{root.path} with --train (in Python train=) if it is one"
            )


def _refuse_equal_folders(root: TreeFolder) -> None:
    """Refuse class folders that hold folders of the same names, which may be the classes.

    A single name, as in `n01443537/images/` of Tiny-ImageNet, divides nothing.
    """
    names = Counter(each.name for folder in root.holding for each in folder.holding)
    shared = [name for name, count in names.items() if count > 1]
    if shared and len(names) > 1:
        parts = [
            folder.name for folder in root.holding if set(_names(folder.holding)) & set(shared)
        ]
        first = root.path / parts[0]
        raise DataError(
            f"{_quote(parts)} hold folders of the same names ({_quote(sorted(shared))}), so that "
            f"they may be no classes: name one of them ({first}) if it is the whole set; if they "
            f"are parts, {CHOOSE}; if the folders inside are the classes, add {INNERMOST}, or "
            f"{PAIRS} to keep those of equal names apart (in Python label_from=); if the outer "
            f"ones are, name {root.path} with --train, with --group-by folder if the folders "
            "inside are persons or bursts"
        )


def _refuse_deeper_folders(root: TreeFolder) -> None:
    """Refuse class folders that hold only folders, as at the root of a repository."""
    divided = [
        (folder, inner)
        for folder in sorted(root.holding, key=lambda each: -each.total)
        if not (inner := folder.unwrap()).pictures and len(inner.holding) > 1
    ]
    if divided:
        folder, inner = divided[0]
        deeper = f"if the innermost folders are the classes, add {INNERMOST}; "
        raise DataError(
            f"'{folder.name}' holds only folders ({_quote(_names(inner.holding))}), so that it "
            f"may be no class: name {inner.path} if that is the whole set; "
            f"{deeper if len(divided) > 1 else ''}if {_quote(_names(root.holding))} are the "
            f"classes, name {root.path} with --train (in Python train=), with --group-by folder "
            "if the folders inside are persons or bursts"
        )


def _names(folders: Iterable[TreeFolder], but: TreeFolder | None = None) -> list[str]:
    return [folder.name for folder in folders if folder is not but]


def _quote(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:MOST_NAMED]) + more
