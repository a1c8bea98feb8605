"""Names of classes that are called by numbers or codes, as texts and the names of pictures tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePath

from smallvision.data.sources.pictures.listing import Listing
from smallvision.data.sources.pictures.lists.picture_list import Lists, Text
from smallvision.data.sources.pictures.tree import show_inside

LONGEST = 100  # characters of a name
_CODE = re.compile("[a-z]?[0-9]+", re.IGNORECASE)
_NAMES = re.compile("class|categor|label|name|synset|word|type", re.IGNORECASE)


def name_classes(listing: Listing, lists: Lists) -> Listing:
    """Give names to classes that are all called by numbers or codes (`3`, `n01443537`).

    A text has a line with the code and the name of each class (`words.txt`), or a name in each line
    (`classes.txt`). Otherwise the pictures of each class, and of no other, may lie in one folder,
    or be called alike (`Abyssinian_12.jpg`).
    """
    codes = {picture.label for pictures in listing.parts.values() for picture in pictures}
    if not codes or not all(_CODE.fullmatch(code) for code in codes):
        return listing
    for text in lists.others:
        if names := _read_names(text, codes):
            note = f"The classes have the names in {show_inside(text.path, listing.root)}."
            return _rename(listing, names, note, text.path)
    if names := _read_pictures(listing, lambda path: path.parent.name):
        return _rename(listing, names, "The classes are called like their folders.", None)
    if names := _read_pictures(listing, lambda path: re.sub(r"[\W_]*\d+$", "", path.stem)):
        return _rename(listing, names, "The classes are called like their pictures.", None)
    return listing


def _rename(listing: Listing, names: Mapping[str, str], note: str, path: Path | None) -> Listing:
    several = {name for name, n in Counter(names.values()).items() if n > 1}
    called = {code: f"{name} ({code})" if name in several else name for code, name in names.items()}
    parts = {
        part: [replace(picture, label=called[picture.label]) for picture in pictures]
        for part, pictures in listing.parts.items()
    }
    lists = (*listing.lists, path) if path else listing.lists
    return replace(listing, parts=parts, notes=(*listing.notes, note), lists=lists)


def _read_names(text: Text, codes: Collection[str]) -> dict[str, str]:
    """The name of each code in a text; nothing where it does not tell all."""
    lines = text.lines
    by_code = {_shorten(code): code for code in codes}
    if len(by_code) < len(codes):
        return {}
    pairs = {
        (by_code[_shorten(line.name)], line.rest.split(",")[0].strip()[:LONGEST])
        for line in lines
        if line.rest and _shorten(line.name) in by_code
    }
    names = dict(pairs)
    if len(names) == len(pairs) == len(codes) and not any(
        name.isdecimal() for name in names.values()
    ):
        return names
    if not _NAMES.search(text.title) or len(lines) != len(codes):
        return {}
    for first in (0, 1):
        numbers = [str(first + i) for i in range(len(codes))]
        if {*numbers} == {*by_code}:
            texts = (line.text[:LONGEST] for line in lines)
            return {by_code[number]: text for number, text in zip(numbers, texts, strict=True)}
    return {}


def _shorten(code: str) -> str:
    """A number without the zeros before it."""
    return str(int(code)) if code.isdecimal() else code


def _read_pictures(listing: Listing, call: Callable[[PurePath], str]) -> dict[str, str]:
    """What the pictures of each class, and of no other, have in their paths.

    Args:
        listing: the pictures.
        call: finds it in the path of a picture.

    Returns: nothing where it varies within a class, is a number, or is the class itself.
    """
    pairs = {
        (picture.label, call(PurePath(picture.path)))
        for pictures in listing.parts.values()
        for picture in pictures
    }
    names = dict(pairs)
    distinct = len(names) == len(pairs) == len({*names.values()})
    meant = all(name and not name.isdecimal() for name in names.values())
    return names if distinct and meant and names.keys() != {*names.values()} else {}
