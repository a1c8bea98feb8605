"""From a name, a path or arrays to a `DataSet`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.decoding.labels import ClassNames
from smallvision.data.loading.archives import recognize_place
from smallvision.data.loading.assemble import assemble
from smallvision.data.loading.places import check_data_dir, find_named
from smallvision.data.sources.named import NAMED_DATA_SETS, NamedDataSet, OfficialFiles
from smallvision.data.sources.objects.layout import lay_out_objects, lay_out_samples
from smallvision.data.sources.objects.samples import Samples
from smallvision.data.sources.source import Part, SourceOptions
from smallvision.data.sources.tar_shards import is_pattern, list_shards
from smallvision.data.storage.room import expand
from smallvision.errors import DataError, SettingError, nearest, refuse_address
from smallvision.shapes import Fit

DEFAULT = "digits"
MOST_NAME = 100  # characters of a name that a user gives; folders are called after it


def load_data(
    source: Any = DEFAULT,
    *,
    data_dir: str | Path | None = None,
    image_size: int | None = None,
    fit: Fit | None = None,
    train: str | Path | None = None,
    val: Any = None,
    test: Any = None,
    class_names: ClassNames | None = None,
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
    """Load a data set by name, from a file or folder of a known kind, or from objects.

    Args:
        source: `digits`, `cifar10`, `cifar100`, or a path: a folder that holds a folder of pictures
            for each class, a table of pictures and classes (CSV, TSV, JSON Lines), pictures with
            their classes in their names (`label_from`), an `.npz`, `.npy` files, Parquet files,
            shards of `webdataset` (also `train-*.tar`), the files of CIFAR, MNIST, SVHN, STL-10 or
            Tiny ImageNet, or a `.zip`, `.tar` or `.tar.gz` of any of these. Or an object: `(images,
            labels)` as for `from_arrays`, a torch `Dataset`, a Hugging Face `Dataset`, a table with
            a column of pictures or paths and one of labels, pairs of an image and a label, or a
            dict of such objects by the part (`train`, `val`, `test`). It may be left out where
            `train` names a folder.
        data_dir: the folder that holds the files of CIFAR. Without it they are looked for in the
            folder that SMALLVISION_DATA names and in the cache, and downloaded if need be.
        image_size: pixels a side to resize pictures to; by default sizes stay where they agree,
            and become 32, 48, 64 or 96 where they differ (`decoding.resize.choose_side`).
        fit: how pictures of another shape are fitted: `crop`, `pad` or `stretch`.
        train, val, test: folders, files or archives of the parts, where the tree does not tell
            them; they
            are looked for in the working directory, then in `source`. Beside an object, `val` and
            `test` are objects too.
        class_names: for objects: K names, or a dict from labels to names or from names to labels.
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
            mirror images; by default what is known of a named data set, and true of others but for
            classes that are letters or grey digits.

    Returns: training images, and a sealed test set.

    Raises:
        DataError: the source is unknown, missing or damaged.
        SettingError: an option that this source does not take, or a name that no folder can have.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> sv.load_data("digits").train
    ImageSet(1,438 grey images, 8x8, 10 classes)
    >>> images = np.random.default_rng(0).integers(0, 255, (60, 32, 32, 3), dtype=np.uint8)
    >>> sv.load_data((images, ["cat", "dog"] * 30), name="pets").train.class_names
    ('cat', 'dog')
    """
    if name is not None:
        check_name(name)
    if isinstance(source, str):
        source = choose_source(source, train)
    if isinstance(source, DataSet):
        raise DataError("this is a data set already; pass it on as it is")
    objects = not isinstance(source, str | PathLike)
    if not objects and not str(source):
        raise DataError("the name of the data set is empty; name one, or a file or folder")
    parts: dict[Part, Any] = {"train": source, "val": val, "test": test} if objects else {}
    known = NAMED_DATA_SETS.get(source) if isinstance(source, str) else None
    options = SourceOptions(
        image_size=image_size,
        fit=fit,
        train=None if train is None else _find_part(train, "train", source),
        val=None if val is None or objects else _find_part(val, "val", source),
        test=None if test is None or objects else _find_part(test, "test", source),
        config=config,
        image_column=image_column,
        label_column=label_column,
        label_from=label_from,
        group_by=group_by,
        min_per_class=min_per_class,
        suffixes=None if suffixes is None else tuple(suffixes),
        strict=strict,
    )
    if class_names is not None and not objects:
        raise SettingError(f"class_names does not apply to '{source}'; leave it out")
    if objects:
        given: dict[Part, Any] = {part: one for part, one in parts.items() if one is not None}
        data = _load_objects(
            {"train": source, **given}, class_names, data_dir, options, seed, mirror_safe
        )
    elif known is not None:
        data = _load_named(known, data_dir, options, seed, mirror_safe)
    else:
        check_data_dir(source, data_dir)
        data = _load_path(expand(source), options, seed, mirror_safe)
    return data if name is None else replace(data, name=name)


def choose_source(source: str | Path | None, train: str | Path | None) -> str | Path:
    """What is loaded: what was named, else the folder of the training part, else `digits`.

    `digits` has no parts that could be named, so beside a training part it was not meant.
    """
    if source is None or source == DEFAULT:
        return DEFAULT if train is None else train
    return source


def _find_part(part: Any, name: str, source: object) -> Path:
    """An absolute path to what the user named for a part, which may be told from the source."""
    if not isinstance(part, str | PathLike):
        raise SettingError(
            f"{name} is a {type(part).__name__}, and the source is a path; expected both to be "
            "paths or both to be objects"
        )
    place = expand(Path(part))
    if not place.exists() and isinstance(source, str | Path) and (expand(source) / place).exists():
        place = expand(source) / place
    return place.absolute()


def _load_objects(
    given: Mapping[Part, Any],
    class_names: ClassNames | None,
    data_dir: str | Path | None,
    options: SourceOptions,
    seed: int,
    mirror_safe: bool | None,
) -> DataSet:
    if data_dir is not None:
        check_data_dir(f"a {type(given['train']).__name__}", data_dir)
    layout = lay_out_objects(given, class_names, options)
    # The folder of listed files would not give the same data set once more.
    name = layout.source if layout.source.isalpha() else "dataset"
    return replace(assemble(layout, name=name, seed=seed, mirror_safe=mirror_safe), place=None)


def _load_named(
    known: NamedDataSet,
    data_dir: str | Path | None,
    options: SourceOptions,
    seed: int,
    mirror_safe: bool | None,
) -> DataSet:
    options.check((), f"'{known.name}'")
    layout = find_named(known, data_dir)
    data = assemble(
        layout,
        name=known.name,
        seed=seed,
        mirror_safe=known.mirror_safe if mirror_safe is None else mirror_safe,
    )
    if isinstance(known.content, OfficialFiles):
        _check_complete(data, known, known.content)
    return replace(data, known_as=known.name)


def _check_complete(data: DataSet, known: NamedDataSet, files: OfficialFiles) -> None:
    """Refuse a part of a data set that the user asked for by name."""
    found = (data.train.num_classes, data.train.shape, len(data.train), len(data.test))
    if found != (len(known.class_names), known.shape, files.train_n, files.test_n):
        raise DataError(
            f"{known.name} has {files.train_n:,} training and {files.test_n:,} test images in "
            f"{len(known.class_names)} classes; these files hold {found[2]:,} and {found[3]:,} in "
            f"{found[0]}: get all of it, or load the part by its path"
        )


def _load_path(path: Path, options: SourceOptions, seed: int, mirror_safe: bool | None) -> DataSet:
    refuse_address(path)
    if not path.exists() and not list_shards(path):
        raise DataError(
            f"'{path}' is neither a known data set nor an existing file or folder"
            f"{nearest(str(path), NAMED_DATA_SETS)}"
        )
    layout = recognize_place(path, options)
    return assemble(layout, name=name_data(path), seed=seed, mirror_safe=mirror_safe)


def as_dataset(data: Any | Callable[[], DataSet], data_dir: str | Path | None = None) -> DataSet:
    """A data set as it is, loaded by name, path or from objects, or by a function called only now.

    Raises:
        DataError: it cannot be loaded.
    """
    if isinstance(data, DataSet):
        return data
    return data() if callable(data) else load_data(data, data_dir=data_dir)


def name_data(source: str | Path) -> str:
    """The name of a data set: its own, or that of its file or folder without the ending."""
    if source in NAMED_DATA_SETS:
        return str(source)
    # resolve() would fail on a link to itself, which is later reported as no data set.
    place = expand(source).absolute()
    named = place.parent if is_pattern(place) else place
    return named.name.partition(".")[0] or "images"


def check_name(name: str) -> str:
    """A name for a data set, which is a part of the names of folders too.

    Raises:
        SettingError: it is empty, too long, or a path.
    """
    if not name.strip() or len(name) > MOST_NAME or set(name) & set("/\\\0") or name[0] == ".":
        raise SettingError(
            f"'{name}' is no name for a data set; use 1 to {MOST_NAME} characters without slashes, "
            "the first one no dot"
        )
    return name


def from_arrays(
    images: Any,
    labels: Any,
    *,
    class_names: ClassNames | None = None,
    test_images: Any = None,
    test_labels: Any = None,
    name: str = "arrays",
    mirror_safe: bool | None = None,
    seed: int = 0,
) -> DataSet:
    """Make a data set from arrays; the test images are sealed at once.

    Args:
        images: `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`, of numpy, torch or lists: bools,
            whole numbers 0 to 255, uint16, or floating-point numbers 0 to 1 or 0 to 255. Or a
            sequence of pictures, arrays or paths, which are resized where they differ. They are
            copied.
        labels: `(N,)` whole numbers (as floats too), strings or bools, or one-hot rows `(N, K)`.
            With `class_names`, numbers are positions in it; without, each distinct label is a
            class.
        class_names: K names, a dict from labels to names or from names to labels, or None to name
            the classes after their labels.
        test_images: as `images`; without them 20 % of each class becomes the test set.
        test_labels: as `labels`.
        name: the name of the data set.
        mirror_safe: whether a left-right flip keeps the label; by default as for `load_data`.
        seed: chooses the test images where none are given.

    Raises:
        DataError: a shape, type or value is not as above, or the lengths differ.

    >>> import numpy as np
    >>> import smallvision as sv
    >>> images = np.random.default_rng(0).random((50, 16, 16))
    >>> data = sv.from_arrays(images, [0, 1] * 25, class_names=["round", "square"])
    >>> len(data.train), data.train.shape
    (40, (1, 16, 16))
    """
    if (test_images is None) != (test_labels is None):
        raise DataError("test_images and test_labels go together; one of them is missing")
    samples: dict[Part, Samples] = {"train": Samples("arrays", images, labels)}
    if test_images is not None:
        samples["test"] = Samples("arrays", test_images, test_labels)
    layout = lay_out_samples(samples, class_names, SourceOptions())
    return replace(assemble(layout, name=name, seed=seed, mirror_safe=mirror_safe), place=None)
