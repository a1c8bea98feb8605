"""A `Layout`: which parts a source has, and how each part is read.

Every reader returns one. Parts are read when they are asked for, so that the test images of a
source need never be in memory beside the training images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from smallvision.data.imageset import ImageSet
from smallvision.errors import DataError
from smallvision.shapes import Shape

Part: TypeAlias = Literal["train", "val", "test"]

PART_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


@dataclass(frozen=True, eq=False)
class Decoded:
    """One part as it was read, and what a person should know about the reading."""

    images: ImageSet
    notes: tuple[str, ...] = ()


# The argument is the shape of the training images, once known: other parts are brought to it.
Read: TypeAlias = Callable[[Shape | None], Decoded]


@dataclass(frozen=True, eq=False)
class Layout:
    """A source whose structure was recognized and whose pixels were not read yet.

    Attributes:
        source: what it is, for the records (`CIFAR-10 python archive`).
        parts: how to read each part; "train" is always there.
        place: the file or folder it lies in, or None for arrays in memory.
        files: all files that decide the content; the cache watches them.
        options: settings that change the decoded pixels, for the cache.
    """

    source: str
    parts: Mapping[Part, Read]
    place: Path | None = None
    files: tuple[Path, ...] = ()
    options: str = ""

    def read(self, part: Part, shape: Shape | None = None) -> Decoded:
        """Read one part from its source.

        Raises:
            DataError: it is missing or damaged; the message starts with the place.
        """
        with errors_at(self.place):
            return self.parts[part](shape)


@contextmanager
def errors_at(place: Path | None) -> Iterator[None]:
    """Start the message of an error with the place of the source it is about."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{place}: {error}" if place else str(error)) from error
    except OSError as error:
        raise DataError(f"{place}: cannot be read ({error})") from error
