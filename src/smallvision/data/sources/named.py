"""The table of the data sets that are known by name.

A data set either comes with an installed package or consists of files that its authors publish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from smallvision.data.decoding.parquet_file import read_columns
from smallvision.data.sources import digits
from smallvision.data.sources.cifar import find_cifar
from smallvision.data.sources.cifar_archives import CIFAR_ARCHIVES, CIFAR_CLASSES, CIFAR_SHAPE
from smallvision.data.sources.parquet import find_parquet, holds_parts
from smallvision.data.sources.source import Layout
from smallvision.shapes import Shape

CIFAR_URL = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True)
class OfficialFiles:
    """The files of a data set that its authors publish.

    Attributes:
        search: recognizes them in a folder or a file. The second argument tells whether the user
            named that place for this data set; elsewhere, files of another data set may lie.
        expected: what a folder may hold, for an error.
        url, md5: the archive to download when no folder holds them.
        train_n, test_n: the official numbers of images.
    """

    search: Callable[[Path, bool], Layout | None]
    expected: str
    url: str
    md5: str
    train_n: int
    test_n: int


@dataclass(frozen=True)
class NamedDataSet:
    """A data set that is known by name.

    Attributes:
        name: what the user types.
        shape: `(C, H, W)` of one image.
        class_names: K names, in label order.
        mirror_safe: whether a left-right flip keeps the label.
        content: a function that describes a data set of an installed package, or the files.
    """

    name: str
    shape: Shape
    class_names: tuple[str, ...]
    mirror_safe: bool
    content: Callable[[], Layout] | OfficialFiles


def search_cifar(name: str, place: Path, named: bool) -> Layout | None:
    """Recognize a CIFAR archive, or look for CIFAR in a folder and in its sub-folder of that name.

    Official archives and their unpacked folders are recognized first, then Parquet files. In a
    folder that the user did not name for this data set, only Parquet files with CIFAR's own column
    names count.

    Raises:
        DataError: an archive or a Parquet file is damaged.
    """
    for folder in (place, place / name):
        if layout := find_cifar(folder, name):
            return layout
    for folder in (place / name, place, place / "plain_text"):
        own = folder.name == name
        if not (own or holds_parts(folder, "*" if named else "-*")):
            continue
        layout = find_parquet(folder, deep=own)
        columns = read_columns(Path(layout.files[0])) if layout else None
        if columns is None or (columns.label == "fine_label") != (name == "cifar100"):
            continue
        right_names = columns.class_names in (None, CIFAR_CLASSES[name])
        if own or (right_names if named else columns.image == "img"):
            return layout
    return None


def _cifar(name: str) -> NamedDataSet:
    archives = [archive for archive in CIFAR_ARCHIVES if archive.name == name]
    packed = " or ".join(archive.file_name for archive in archives)
    unpacked = " or ".join(f"{archive.folder}/" for archive in archives)
    return NamedDataSet(
        name=name,
        shape=CIFAR_SHAPE,
        class_names=CIFAR_CLASSES[name],
        mirror_safe=True,
        content=OfficialFiles(
            search=partial(search_cifar, name),
            expected=f"{packed}, {unpacked} or train-*.parquet with test-*.parquet",
            url=CIFAR_URL + archives[0].file_name,
            md5=archives[0].md5,
            train_n=50_000,
            test_n=10_000,
        ),
    )


NAMED_DATA_SETS: dict[str, NamedDataSet] = {
    "digits": NamedDataSet(
        name="digits",
        shape=digits.SHAPE,
        class_names=digits.CLASSES,
        mirror_safe=False,
        content=digits.digits_layout,
    ),
    "cifar10": _cifar("cifar10"),
    "cifar100": _cifar("cifar100"),
}
