"""A `Source` recognizes a file or folder and describes it as a `Layout`.

The images of a part are decoded only when that part is read, so that test images need never be in
memory beside the training images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from smallvision.data.decoding.resize import OriginalSizes, Preparation
from smallvision.data.imageset import ImageSet
from smallvision.errors import DataError, SettingError
from smallvision.records.schema import LeftOutRecord
from smallvision.shapes import Fit, Origins, Shape

Part: TypeAlias = Literal["train", "val", "test"]

PART_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}

# What may follow a word for a part without a space (`trainset`, `testimages`).
_TAIL = (
    "(?:(?:data)?sets?|data|imgs?|(?:image|picture|photo|sample|file|id)s?|dir|folder|split|"
    "lists?)?"
)
_WORDS: dict[Part, re.Pattern[str]] = {
    "train": re.compile(f"(?:train(?:ing|val)?|trn){_TAIL}"),
    "val": re.compile(f"(?:val|valid(?:ation)?|dev){_TAIL}"),
    "test": re.compile(f"(?:tests?|testing|tst|eval|evaluation){_TAIL}"),
}

_TRAIN_VAL = re.compile("train[ _-]val(?![a-z])", re.IGNORECASE)


def tell_part(name: str) -> Part | None:
    """The part that the name of a folder tells by one of its words, or None.

    `Training`, `seg_test`, `asl_alphabet_train`, `TestSet` and `val2017` name parts; a name with
    words for two parts (`train_test_split`) names none, but for `train_val`, which is trained on.
    """
    joined = _TRAIN_VAL.sub("trainval", name)
    words = [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", joined)]
    told = [part for part, known in _WORDS.items() if any(known.fullmatch(word) for word in words)]
    return told[0] if len(told) == 1 else None


@dataclass(frozen=True)
class LeftOut:
    """Files or rows of a source that are in no part, for one reason.

    Attributes:
        reason: why, in words that follow "left out:" (`no picture`, `behind a link`).
        count: how many.
        example: one of them, as it is called inside the source.
    """

    reason: str
    count: int
    example: str


def merge_left_out(some: Iterable[LeftOut]) -> tuple[LeftOut, ...]:
    """One entry for each reason, with the counts added and the first example, largest first."""
    merged: dict[str, LeftOut] = {}
    for one in some:
        known = merged.get(one.reason)
        merged[one.reason] = one if known is None else replace(known, count=known.count + one.count)
    return tuple(sorted(merged.values(), key=lambda one: (-one.count, one.reason)))


def describe_left_out(left_out: Iterable[LeftOut]) -> tuple[str, ...]:
    """One sentence about everything that is left out, or none where there is nothing."""
    pieces = [
        f"{one.reason} ({one.count:,}, such as {one.example})"
        if one.count > 1
        else f"{one.reason} ({one.example})"
        for one in left_out
    ]
    return (f"Left out: {'; '.join(pieces)}.",) if pieces else ()


def record_left_out(left_out: Iterable[LeftOut]) -> tuple[LeftOutRecord, ...]:
    """What is left out of a source, as records keep it."""
    return tuple(LeftOutRecord(**asdict(one)) for one in left_out)


@dataclass(frozen=True)
class SourceOptions:
    """What a user may ask of a source; each kind of source takes some of these options.

    Attributes:
        image_size: pixels a side to resize pictures to, or None to keep sizes where they agree.
        fit: how a picture of another shape is fitted: `crop`, `pad` or `stretch`.
        train, val, test: folders or files of the parts, where the tree does not tell them.
        config: the configuration of a Parquet tree that holds several.
        image_column, label_column: columns of a table.
        label_from: a regular expression with one group, which finds the class in a file name.
        group_by: what keeps pictures of one person or burst on one side of each split: `folder`,
            the name of a column, or a regular expression with one group for the file name.
        min_per_class: classes with fewer training images are left out.
        suffixes: endings of further files that are pictures (`.dat`); `*` for any.
        strict: refuse a source with any unreadable picture.
    """

    image_size: int | None = None
    fit: Fit | None = None
    train: Path | None = None
    val: Path | None = None
    test: Path | None = None
    config: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    label_from: str | None = None
    group_by: str | None = None
    min_per_class: int | None = None
    suffixes: tuple[str, ...] | None = None
    strict: bool | None = None

    def check(self, takes: Collection[str], what: str) -> None:
        """Refuse options that a source does not take.

        Args:
            takes: names of the options that apply to the source.
            what: what to call the source in the error.

        Raises:
            SettingError: another option was given.
        """
        for name, value in asdict(self).items():
            if value is not None and name not in takes:
                raise SettingError(f"{name} does not apply to {what}; leave it out")


@dataclass(frozen=True, eq=False)
class DecodedPart:
    """The images of one part, and what the reader did that a person should know.

    Attributes:
        images: the images and their labels.
        notes: one sentence for each kind of change.
        left_out: what of this part could not be read.
        groups: one word for each image; images with the same word stay on one side of each split.
        origins: SHA-256 of the bytes that each image was decoded from, uint8 `(N, 32)`; None where
            the images are what the source holds.
        preparation: how pictures became images, of a source of pictures.
        sizes: of the pictures before they were resized.
    """

    images: ImageSet
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups: tuple[str, ...] | None = None
    origins: Origins | None = None
    preparation: Preparation | None = None
    sizes: OriginalSizes | None = None


# The argument is the shape of the training images, to which the other parts are resized. It is None
# for the training images themselves.
ReadPart: TypeAlias = Callable[[Shape | None], DecodedPart]


@dataclass(frozen=True, eq=False)
class Layout:
    """The parts of a recognized source, whose images have not been decoded yet.

    Attributes:
        source: what it is, for the records (`cifar10 python archive`).
        parts: a function for each part that reads it; "train" is always there.
        place: the file or folder, or None for arrays in memory.
        files: all files that determine the content; the cache watches them.
        options: the user's options, which are part of the identity of a cache entry.
        left_out: what lies in the source and in none of the parts.
        notes: what was understood of the source that a person should know, one sentence each.
        mirror_safe: false where the classes are known to change in a mirror.
        prepare: the same parts, of which those besides train are prepared like the training
            images; None where there is no choice.
    """

    source: str
    parts: Mapping[Part, ReadPart]
    place: Path | None = None
    files: tuple[str | Path, ...] = ()
    options: SourceOptions = SourceOptions()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    mirror_safe: bool = True
    prepare: Callable[[Preparation], Layout] | None = None

    def follow(self, train: DecodedPart) -> Layout:
        """The layout whose other parts are prepared like the training images that were read."""
        if self.prepare is None or train.preparation is None:
            return self
        return replace(self, parts=self.prepare(train.preparation).parts)

    def read(self, part: Part, shape: Shape | None = None) -> DecodedPart:
        """Decode one part.

        Raises:
            DataError: it is missing or damaged; the message starts with the place.
        """
        with errors_at(self.place):
            return self.parts[part](shape)


class Source(Protocol):
    """A kind of file or folder that images are read from.

    Attributes:
        expects: what a user may name, for an error (`an .npz file`).
        takes: names of the `SourceOptions` that apply to it.
    """

    expects: str
    takes: tuple[str, ...]

    def recognize(self, place: Path, options: SourceOptions, /) -> Layout | None:
        """Describe a file or folder without decoding its images.

        Args:
            place: an existing file or folder.
            options: of the user; those that do not apply are refused later.

        Returns: the layout, or None when the place holds something else.

        Raises:
            DataError: the place holds such a source, and it is incomplete or damaged.
        """


@contextmanager
def errors_at(place: Path | None) -> Iterator[None]:
    """Start the message of an error with the place of the source that it is about."""
    try:
        yield
    except DataError as error:
        if place is None:
            raise DataError(str(error)) from error
        reason = str(error).removeprefix(f"{place.name}: ")  # of a place that is one file
        raise DataError(f"{place}: {reason}") from error
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error})") from error
