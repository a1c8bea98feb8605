"""CIFAR-10 and CIFAR-100 as their authors publish them: python or binary, packed or unpacked.

Source: https://www.cs.toronto.edu/~kriz/cifar.html. CIFAR-100 is read with its fine labels.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.labels import check_labels, check_lengths
from smallvision.data.decoding.pickles import unpickle_arrays
from smallvision.data.decoding.regular import read_regular
from smallvision.data.decoding.tar import MAX_MEMBER_BYTES, find_folder, stream_members
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.cifar_archives import CIFAR_ARCHIVES, CIFAR_SHAPE, CifarArchive
from smallvision.data.sources.source import DecodedPart, Layout, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Images, Labels, Shape

PIXELS = prod(CIFAR_SHAPE)
MAX_NAMES_BYTES = 100_000  # of the file of class names; the largest has 1,500


class CifarSource:
    """An official CIFAR archive, its unpacked folder, or a folder that holds either."""

    expects = "a CIFAR .tar.gz"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe it without decoding its images; see `Source`."""
        return find_cifar(place)


def find_cifar(place: Path, name: str | None = None) -> Layout | None:
    """Recognize a CIFAR archive, its unpacked folder, or a folder that holds either.

    Args:
        place: a file or a folder.
        name: `cifar10` or `cifar100` to look for that only, or None for both.

    Returns: the layout, or None when there is nothing of the kind.

    Raises:
        DataError: a `.tar.gz` cannot be read.
    """
    archives = [archive for archive in CIFAR_ARCHIVES if name in (None, archive.name)]
    if place.is_file():
        return _find_packed(place, archives)
    for archive in archives:
        for folder in (place, place / archive.folder):
            # Whatever lies there under these names: reading it tells what is wrong with it.
            names = (archive.train[0], archive.names_file)
            # A folder `train/` beside a folder `meta/` is something else.
            if all(os.path.lexists(folder / each) for each in names) and not all(
                (folder / each).is_dir() for each in names
            ):
                return make_layout(folder, archive)
    for archive in archives:
        if (place / archive.file_name).is_file():
            return _find_packed(place / archive.file_name, archives)
    return None


def make_layout(place: Path, archive: CifarArchive) -> Layout:
    """Describe an official archive, which may be unpacked."""
    packed = place.is_file()
    names = (*archive.train, *archive.test, archive.names_file)
    return Layout(
        source=f"{archive.name} {archive.kind} {'archive' if packed else 'batches'}",
        parts={
            "train": partial(_read_part, place, archive, archive.train),
            "test": partial(_read_part, place, archive, archive.test),
        },
        place=place,
        files=(place,) if packed else tuple(place / name for name in names),
    )


def _find_packed(file: Path, archives: Sequence[CifarArchive]) -> Layout | None:
    if not file.name.endswith((".tar.gz", ".tgz")):
        return None
    by_folder = {archive.folder: archive for archive in archives}
    folder = find_folder(file, by_folder)
    return make_layout(file, by_folder[folder]) if folder else None


def _read_part(
    place: Path, archive: CifarArchive, batches: Sequence[str], _: Shape | None
) -> DecodedPart:
    """Read some batches in official order, whatever their order in the file."""
    class_names: tuple[str, ...] = ()
    contents: dict[str, tuple[Images, Labels]] = {}
    changed = []
    for name, content in _stream(place, archive, (*batches, archive.names_file)):
        if name == archive.names_file:
            class_names = _read_names(content, archive)
            continue
        contents[name] = _read_batch(content, archive, name)
        if not archive.is_official(name, content):
            changed.append(name)
    for name in batches:
        check_labels(contents[name][1], len(class_names), name)
    images, labels = (
        np.concatenate([contents[name][column] for name in batches]) for column in (0, 1)
    )
    return DecodedPart(ImageSet(images, labels, class_names), _describe(archive, changed))


def _stream(
    place: Path, archive: CifarArchive, names: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    if place.is_file():
        yield from stream_members(place, archive.folder, names)
        return
    for name in names:
        most = MAX_NAMES_BYTES if name == archive.names_file else MAX_MEMBER_BYTES
        yield name, _read_file(place / name, most)


def _read_file(path: Path, most: int) -> bytes:
    """A file with a fixed name: it may come from a stranger, so that it is no link either."""
    content = read_regular(path, path.name, most=most, follow=False)
    if not content:
        raise DataError(f"{path.name} is empty (0 bytes); unpack the archive again")
    return content


def _describe(archive: CifarArchive, changed: Sequence[str]) -> tuple[str, ...]:
    if not changed:
        return ()
    return (
        f"{', '.join(sorted(changed))}: not the official {archive.name} content (MD5 differs), "
        "though its structure is right; it was changed or damaged.",
    )


def _read_names(content: bytes, archive: CifarArchive) -> tuple[str, ...]:
    """Class names from `batches.meta`, `meta` or a text file."""
    if len(content) > MAX_NAMES_BYTES:
        raise DataError(
            f"{archive.names_file} has {len(content):,} bytes; expected at most {MAX_NAMES_BYTES:,}"
        )
    if archive.kind == "binary":
        return tuple(content.decode("latin1").split())
    names = unpickle_arrays(content, archive.names_file).get(archive.names_key)
    if not isinstance(names, list) or not names:
        raise DataError(
            f"{archive.names_file} holds no list '{archive.names_key}'; get the original"
        )
    return tuple(name.decode("latin1") if isinstance(name, bytes) else str(name) for name in names)


def _read_batch(content: bytes, archive: CifarArchive, where: str) -> tuple[Images, Labels]:
    if archive.kind == "binary":
        return _read_rows(content, archive.label_bytes, where)
    record = unpickle_arrays(content, where)
    lacking = [column for column in ("data", archive.labels_key) if column not in record]
    if lacking:
        raise DataError(f"{where} lacks '{lacking[0]}'; get the original")
    images = _check_pixels(record["data"], where)
    labels = _as_whole_numbers(record[archive.labels_key], where)
    check_lengths(len(images), len(labels), where)
    return images, labels


def _read_rows(content: bytes, label_bytes: int, where: str) -> tuple[Images, Labels]:
    row = label_bytes + PIXELS
    if len(content) % row:
        raise DataError(
            f"{where} has {len(content):,} bytes, which is no multiple of {row:,} "
            "(one image); it was cut short: get the original"
        )
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, row)
    return rows[:, label_bytes:].reshape(-1, *CIFAR_SHAPE), rows[:, label_bytes - 1].astype(
        np.int64
    )


def _check_pixels(data: Any, where: str) -> Images:
    """Rows of 1,024 red, then green, then blue pixels."""
    shaped = isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == PIXELS
    if not shaped or data.dtype != np.uint8:
        raise DataError(f"{where}: 'data' is not a uint8 array (N, {PIXELS}); get the original")
    pixels: Images = data
    return pixels.reshape(-1, *CIFAR_SHAPE)


def _as_whole_numbers(values: Any, where: str) -> Labels:
    try:
        labels = np.asarray(values)
    except (TypeError, ValueError):
        labels = np.empty((0, 0))
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{where}: the labels are not a list of whole numbers; get the original")
    return labels.astype(np.int64)
