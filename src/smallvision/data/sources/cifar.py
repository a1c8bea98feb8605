"""CIFAR-10 and CIFAR-100 as their authors publish them: python or binary, packed or not.

Source: https://www.cs.toronto.edu/~kriz/cifar.html. CIFAR-100 is read with its fine labels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.decoding.archive import MAX_MEMBER_BYTES, find_folder, stream_members
from smallvision.data.decoding.labels import check_labels, check_lengths
from smallvision.data.decoding.pickles import unpickle_arrays
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.cifar_archives import EDITIONS, Edition
from smallvision.data.sources.source import Decoded, Layout
from smallvision.errors import DataError
from smallvision.shapes import Images, Labels, Shape

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32


def find_cifar(place: Path, name: str | None = None) -> Layout | None:
    """Recognize a CIFAR archive, its unpacked folder, or a folder that holds either.

    Args:
        place: a file or a folder.
        name: look for `cifar10` or `cifar100` only.

    Returns: the layout, or None when there is nothing of the kind.

    Raises:
        DataError: `place` is a `.tar.gz` that cannot be read.
    """
    editions = [edition for edition in EDITIONS if name in (None, edition.name)]
    if place.is_file():
        return _find_in_archive(place, editions)
    for edition in editions:
        for folder in (place, place / edition.folder):
            if (folder / edition.train[0]).is_file() and (folder / edition.names_file).is_file():
                return make_layout(folder, edition)
    for edition in editions:
        if (place / edition.archive).is_file():
            return _find_in_archive(place / edition.archive, editions)
    return None


def make_layout(place: Path, edition: Edition) -> Layout:
    """Describe an archive, or an unpacked folder, of a known edition."""
    packed = place.is_file()
    names = (*edition.train, *edition.test, edition.names_file)
    return Layout(
        source=f"{edition.name} {edition.kind} {'archive' if packed else 'batches'}",
        parts={
            "train": partial(_read_part, place, edition, edition.train),
            "test": partial(_read_part, place, edition, edition.test),
        },
        place=place,
        files=(place,) if packed else tuple(place / name for name in names),
    )


def _find_in_archive(archive: Path, editions: Sequence[Edition]) -> Layout | None:
    if not archive.name.endswith((".tar.gz", ".tgz")):
        return None
    folders = {edition.folder: edition for edition in editions}
    folder = find_folder(archive, folders)
    return make_layout(archive, folders[folder]) if folder else None


def _read_part(place: Path, edition: Edition, batches: Sequence[str], _: Shape | None) -> Decoded:
    """Read some batches in official order, whatever order the archive has them in."""
    class_names: tuple[str, ...] = ()
    contents: dict[str, tuple[Images, Labels]] = {}
    strangers = []
    for name, content in _stream(place, edition, (*batches, edition.names_file)):
        if name == edition.names_file:
            class_names = _read_names(content, edition)
            continue
        contents[name] = _read_batch(content, edition, name)
        if not edition.is_official(name, content):
            strangers.append(name)
    for name in batches:
        check_labels(contents[name][1], len(class_names), name)
    images, labels = (
        np.concatenate([contents[name][column] for name in batches]) for column in (0, 1)
    )
    return Decoded(ImageSet(images, labels, class_names), _describe(edition, strangers))


def _stream(place: Path, edition: Edition, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    if place.is_file():
        yield from stream_members(place, edition.folder, names)
        return
    for name in names:
        yield name, _read_file(place / name)


def _read_file(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MAX_MEMBER_BYTES:
            raise DataError(
                f"{path.name} has {size:,} bytes; expected at most {MAX_MEMBER_BYTES:,}"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name} cannot be read ({error.strerror}); put the complete data set there"
        ) from error
    if not content:
        raise DataError(f"{path.name} is empty (0 bytes); unpack the archive again")
    return content


def _describe(edition: Edition, strangers: Sequence[str]) -> tuple[str, ...]:
    if not strangers:
        return ()
    which = ", ".join(sorted(strangers))
    return (
        f"{which}: not the official {edition.name} content (MD5 differs), "
        "though its structure is right; it was changed or damaged.",
    )


def _read_names(content: bytes, edition: Edition) -> tuple[str, ...]:
    """Class names from `batches.meta`, `meta` or a text file."""
    if edition.kind == "binary":
        return tuple(content.decode("latin1").split())
    names = unpickle_arrays(content, edition.names_file).get(edition.names_key)
    if not isinstance(names, list) or not names:
        raise DataError(
            f"{edition.names_file} holds no list '{edition.names_key}'; get the original"
        )
    return tuple(name.decode("latin1") if isinstance(name, bytes) else str(name) for name in names)


def _read_batch(content: bytes, edition: Edition, where: str) -> tuple[Images, Labels]:
    if edition.kind == "binary":
        return _read_rows(content, edition.label_bytes, where)
    record = unpickle_arrays(content, where)
    lacking = [column for column in ("data", edition.labels_key) if column not in record]
    if lacking:
        raise DataError(f"{where} lacks '{lacking[0]}'; get the original")
    images = _check_pixels(record["data"], where)
    labels = _as_whole_numbers(record[edition.labels_key], where)
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
    return rows[:, label_bytes:].reshape(-1, *SHAPE), rows[:, label_bytes - 1].astype(np.int64)


def _check_pixels(data: Any, where: str) -> Images:
    """Rows of 1,024 red, then green, then blue pixels."""
    shaped = isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[1] == PIXELS
    if not shaped or data.dtype != np.uint8:
        raise DataError(f"{where}: 'data' is not a uint8 array (N, {PIXELS}); get the original")
    pixels: Images = data
    return pixels.reshape(-1, *SHAPE)


def _as_whole_numbers(values: Any, where: str) -> Labels:
    try:
        labels = np.asarray(values)
    except (TypeError, ValueError):
        labels = np.empty((0, 0))
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{where}: the labels are not a list of whole numbers; get the original")
    return labels.astype(np.int64)
