"""A file with a claim, and what is to come of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallvision.data.decoding.image_files import load_picture
from smallvision.data.decoding.resize import Preparation, Stack
from smallvision.data.loading.load import as_dataset, load_data


@dataclass(frozen=True)
class Case:
    """A crafted file.

    Attributes:
        kind: of file, for the figures.
        name: of the case.
        make: writes it into a folder.
        open_it: opens it as a user would.
        says: the reason of the refusal, or None where the file is to be accepted.
        needs: bytes that the data set itself takes.
        slow: whether making or opening it takes long; such cases come last.
    """

    kind: str
    name: str
    make: Callable[[Path], Path]
    open_it: Callable[[Path], object]
    says: str | None
    needs: int = 0
    slow: bool = False


def load(path: Path) -> object:
    """The data set at a place."""
    return as_dataset(path, None)


def load_strictly(path: Path) -> object:
    """The data set at a place, of which no picture may be unreadable."""
    return load_data(path, strict=True)


def look(path: Path) -> Any:
    """A picture as `classify` reads it, uint8 `(1, 3, 32, 32)`."""
    stack = Stack(1, like=Preparation((3, 32, 32)))
    stack.add(load_picture(path, stack.side))
    return stack.finish().images


def put(name: str, content: bytes) -> Callable[[Path], Path]:
    """Writes a file."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def hole(name: str, size: int, begins: bytes = b"") -> Callable[[Path], Path]:
    """Writes a file of zeros that takes no room on the disk."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(begins)
        os.truncate(folder / name, size)
        return folder / name

    return make


def fifo(name: str) -> Callable[[Path], Path]:
    """Makes a pipe that nobody writes to."""

    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def link(name: str, to: str) -> Callable[[Path], Path]:
    """Makes a link."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to(to)
        return folder / name

    return make
