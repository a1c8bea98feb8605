"""Picture files: find them, and read them within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smallvision.data.decoding.image import MAX_FILE_BYTES, SUFFIXES, decode
from smallvision.data.decoding.pixels.decoded import Decoded
from smallvision.data.decoding.regular import read_regular, walk_entries
from smallvision.errors import DataError


def load_picture(path: Path, side: int) -> Decoded:
    """Decode one picture file, whatever its name.

    Args:
        path: of the file.
        side: the larger side in pixels of what it will be reduced to.

    Raises:
        DataError: it is missing, no picture, damaged or too large.
    """
    return decode(read_picture(path, str(path)), str(path), side=side)


def find_pictures(place: Path) -> Sequence[Path]:
    """A file, whatever its name, or the picture files in a folder.

    Raises:
        DataError: it does not exist, or the folder holds none.
    """
    if not place.is_dir():
        return [place]
    found = list_pictures(place)
    if not found:
        raise DataError(f"{place} holds no images ({', '.join(SUFFIXES)})")
    return found


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """Picture files at any depth, sorted; see `walk_entries`."""
    found = (entry for entry in walk_entries(folder) if entry.name.lower().endswith(SUFFIXES))
    return tuple(sorted(Path(entry.path) for entry in found))


def read_picture(path: str | Path, name: str) -> bytes:
    """The bytes of a file that may be a picture.

    Args:
        path: of the file.
        name: what to call it in an error.

    Raises:
        DataError: it is missing, no regular file, or larger than any picture may be.
    """
    return read_regular(path, name, most=MAX_FILE_BYTES)
