"""Pictures of a part that lie in no class folders, and whose classes a list tells.

So GTSRB, ImageNet and Tiny ImageNet have their test or validation pictures: all in one folder, with
a table or a text that names the class of each, often by a number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.sources.pictures.lists.picture_list import (
    SHARE,
    Lists,
    PictureList,
    first_word,
)


@dataclass(frozen=True)
class LooseClasses:
    """The classes of the pictures in a folder.

    Attributes:
        path: of the list that tells them.
        classes: the name of the class of each picture.
        gone: what the list names and is not there.
    """

    path: Path
    classes: Mapping[str, str]
    gone: Sequence[str]


def find_loose_classes(
    pictures: Collection[str], lists: Lists, known: Mapping[str, str]
) -> LooseClasses | None:
    """Find the list that tells the classes of some pictures.

    Args:
        pictures: paths of the pictures.
        lists: the lists beside them.
        known: the class of each training picture.

    Returns: None where there is no such list, or it cannot be told which classes its numbers mean.
    """
    wanted, classes = set(pictures), dict.fromkeys(known.values())
    for one in lists.pictures:
        rows = [i for i, picture in enumerate(one.pictures) if picture in wanted]
        if len(rows) < SHARE * len(one.pictures):
            continue
        for words in _list_columns(one, rows):
            if told := _resolve(words, classes, lists, known):
                gone = [
                    name
                    for name, picture in zip(one.names, one.pictures, strict=True)
                    if picture is None
                ]
                found = zip(rows, words, strict=True)
                return LooseClasses(
                    one.path, {str(one.pictures[i]): told[word] for i, word in found}, gone
                )
    return None


def _list_columns(one: PictureList, rows: Sequence[int]) -> Iterator[list[str]]:
    """What each column says of some pictures: whole, then its first words."""
    for column in one.columns.values():
        yield [column[i] for i in rows]
    for column in one.columns.values():
        yield [first_word(column[i]) for i in rows]


def _resolve(
    words: Sequence[str], classes: Collection[str], lists: Lists, known: Mapping[str, str]
) -> Mapping[str, str]:
    """The class that each word means; nothing where one of them means none."""
    some = {*words}
    if some <= {*classes}:
        return {word: word for word in some}
    if not all(word.isdecimal() for word in some):
        return {}
    if all(name.isdecimal() for name in classes):
        by_number = {int(name): name for name in classes}
        if len(by_number) == len(classes) and all(int(word) in by_number for word in some):
            return {word: by_number[int(word)] for word in some}
        return {}
    for numbers in _list_numberings(classes, lists, known):
        if some <= numbers.keys():
            return numbers
    return {}


def _list_numberings(
    classes: Collection[str], lists: Lists, known: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    """What the numbers of the classes are, as lists of training pictures and other texts say."""
    for one in lists.pictures:
        for words in _list_columns(one, range(len(one.pictures))):
            pairs = {
                (word, known[picture])
                for picture, word in zip(one.pictures, words, strict=True)
                if picture and picture in known and word.isdecimal()
            }
            numbers = dict(pairs)
            if len(numbers) == len(pairs) == len({*numbers.values()}) == len(classes):
                yield numbers
    for lines in (text.lines for text in lists.others):
        if len(lines) == len(classes) and {line.text for line in lines} == {*classes}:
            yield {str(i): line.text for i, line in enumerate(lines)}
        for pairs in (
            {(line.name, line.rest) for line in lines},
            {(line.rest, line.name.rpartition("/")[2]) for line in lines},
        ):
            numbers = {number: name for number, name in pairs if name in classes}
            if all(number.isdecimal() for number in numbers) and len(numbers) == len(classes):
                yield numbers
