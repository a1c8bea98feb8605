"""From a name, a path or arrays to a `DataSet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from smallvision.data.dataset import DataSet
from smallvision.data.decoding.labels import LabelEncoding
from smallvision.data.loading.archives import recognize_place
from smallvision.data.loading.assemble import assemble
from smallvision.data.loading.cache import expand
from smallvision.data.loading.places import check_data_dir, find_named
from smallvision.data.sources.arrays import arrays_layout
from smallvision.data.sources.named import NAMED_DATA_SETS, NamedDataSet, OfficialFiles
from smallvision.data.sources.source import Fit, Part, SourceOptions
from smallvision.errors import DataError, nearest


def load_data(
    source: str | Path = "digits",
    *,
    data_dir: str | Path | None = None,
    image_size: int | None = None,
    fit: Fit | None = None,
    train: str | Path | None = None,
    val: str | Path | None = None,
    test: str | Path | None = None,
    config: str | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    label_from: str | None = None,
    group_by: str | None = None,
    min_per_class: int | None = None,
    suffixes: Sequence[str] | None = None,
    strict: bool | None = None,
    name: str | None = None,
    seed: int = 0,
    mirror_safe: bool | None = None,
) -> DataSet:
    """Load a data set by name, or from a file or folder of a known kind.

    Args:
        source: `digits`, `cifar10`, `cifar100`, or a path: a folder that holds a folder of pictures
            for each class, a table of pictures and classes (CSV, TSV, JSON Lines), pictures with
            their classes in their names (`label_from`), an `.npz`, `.npy` files, Parquet files,
            the files of CIFAR, MNIST, SVHN, STL-10 or Tiny ImageNet, or a `.zip`, `.tar` or
            `.tar.gz` of any of these.
        data_dir: the folder that holds the files of CIFAR. Without it they are looked for in the
            folder that SMALLVISION_DATA names and in the cache, and downloaded if need be.
        image_size: pixels a side to resize pictures to; by default sizes stay where they agree,
            and become 32 where they differ.
        fit: how pictures of another shape are fitted: `crop`, `pad` or `stretch`.
        train, val, test: folders or files of the parts, where the tree does not tell them; they
            are looked for in the working directory, then in `source`.
        config: the configuration of a Parquet tree that holds several.
        image_column, label_column: columns of a table.
        label_from: a regular expression with one group, which finds the class in a file name.
        group_by: `folder`, a column, or a regular expression with one group for file names:
            pictures with the same word stay on one side of each split.
        min_per_class: classes with fewer training images are left out.
        suffixes: endings of further files that are pictures; `*` for any.
        strict: refuse a source with any unreadable picture, instead of leaving out a few.
        name: what to call the data set; by default as the source is called.
        seed: chooses the test images of a source that declares none.
        mirror_safe: whether a left-right flip keeps the label, so that models may be trained on
            mirror images; by default what is known of a named data set, and true of others.

    Returns: training images, and a sealed test set.

    Raises:
        DataError: the source is unknown, missing or damaged.
        SettingError: an option that this source does not take.
    """
    known = NAMED_DATA_SETS.get(source) if isinstance(source, str) else None
    options = SourceOptions(
        image_size=image_size,
        fit=fit,
        train=_find_part(train, source),
        val=_find_part(val, source),
        test=_find_part(test, source),
        config=config,
        image_column=image_column,
        label_column=label_column,
        label_from=label_from,
        group_by=group_by,
        min_per_class=min_per_class,
        suffixes=None if suffixes is None else tuple(suffixes),
        strict=strict,
    )
    if known is not None:
        data = _load_named(known, data_dir, options, seed)
    else:
        check_data_dir(source, data_dir)
        data = _load_path(expand(source), options, seed)
    if mirror_safe is not None:
        data = replace(data, mirror_safe=mirror_safe)
    return data if name is None else replace(data, name=name)


def _find_part(part: str | Path | None, source: object) -> Path | None:
    """An absolute path to what the user named for a part, which may be told from the source."""
    if part is None:
        return None
    place = expand(part)
    if not place.exists() and isinstance(source, str | Path) and (expand(source) / place).exists():
        place = expand(source) / place
    return place.absolute()


def _load_named(
    known: NamedDataSet, data_dir: str | Path | None, options: SourceOptions, seed: int
) -> DataSet:
    options.check((), f"'{known.name}'")
    layout = find_named(known, data_dir)
    data = assemble(layout, name=known.name, seed=seed, mirror_safe=known.mirror_safe)
    if isinstance(known.content, OfficialFiles):
        _check_complete(data, known, known.content)
    return data


def _check_complete(data: DataSet, known: NamedDataSet, files: OfficialFiles) -> None:
    """Refuse a part of a data set that the user asked for by name."""
    found = (data.train.num_classes, data.train.shape, len(data.train), len(data.test))
    if found != (len(known.class_names), known.shape, files.train_n, files.test_n):
        raise DataError(
            f"{known.name} has {files.train_n:,} training and {files.test_n:,} test images in "
            f"{len(known.class_names)} classes; these files hold {found[2]:,} and {found[3]:,} in "
            f"{found[0]}: get all of it, or load the part by its path"
        )


def _load_path(path: Path, options: SourceOptions, seed: int) -> DataSet:
    if not path.exists():
        raise DataError(
            f"'{path}' is neither a known data set nor an existing file or folder"
            f"{nearest(str(path), NAMED_DATA_SETS)}"
        )
    return assemble(recognize_place(path, options), name=name_data(path), seed=seed)


def as_dataset(data: DataSet | str | Path, data_dir: str | Path | None = None) -> DataSet:
    """A data set as it is, or loaded by name or path.

    Raises:
        DataError: it cannot be loaded.
    """
    return data if isinstance(data, DataSet) else load_data(data, data_dir=data_dir)


def name_data(source: str | Path) -> str:
    """The name of a data set: its own, or that of its file or folder without the ending."""
    if source in NAMED_DATA_SETS:
        return str(source)
    # resolve() would fail on a link to itself, which is later reported as no data set.
    return expand(source).absolute().name.partition(".")[0]


def from_arrays(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    test_images: npt.ArrayLike | None = None,
    test_labels: npt.ArrayLike | None = None,
    name: str = "arrays",
    mirror_safe: bool = True,
    seed: int = 0,
) -> DataSet:
    """Make a data set from arrays; the test images are sealed at once.

    Args:
        images: `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`; whole numbers 0 to 255 or
            fractions 0 to 1. They are copied.
        labels: `(N,)` whole numbers or strings. With `class_names`, numbers are positions in it;
            without, each distinct label is a class.
        class_names: K names, or None to name the classes after their labels.
        test_images: as `images`; without them 20 % of each class becomes the test set.
        test_labels: as `labels`.
        name: the name of the data set.
        mirror_safe: whether a left-right flip keeps the label.
        seed: chooses the test images where none are given.

    Raises:
        DataError: a shape, type or value is not as above, or the lengths differ.
    """
    if (test_images is None) != (test_labels is None):
        raise DataError("test_images and test_labels go together; one of them is missing")
    given: dict[Part, tuple[Any, Any]] = {"train": (images, labels)}
    if test_images is not None:
        given["test"] = (test_images, test_labels)
    encoding = LabelEncoding.fit(labels, class_names, "labels")
    return assemble(arrays_layout(given, encoding), name=name, seed=seed, mirror_safe=mirror_safe)
