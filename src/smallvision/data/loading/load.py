"""`load_data`: from a name or a path to a `DataSet`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.loading.assemble import assemble
from smallvision.data.loading.cache import expand
from smallvision.data.loading.locate import find_layout, find_official
from smallvision.data.sources.digits import digits_layout
from smallvision.data.sources.named import CATALOG, Source
from smallvision.data.sources.synthetic import make_synthetic
from smallvision.errors import DataError, SettingError, nearest


def load_data(
    source: str | Path = "digits",
    *,
    data_dir: str | Path | None = None,
    image_size: int | None = None,
    size: int | None = None,
    seed: int = 0,
    mirror_safe: bool | None = None,
) -> DataSet:
    """Load a data set by name, or from a file or folder whose layout is recognized.

    Args:
        source: `digits`, `cifar10`, `cifar100`, `synthetic`, or a path: a CIFAR archive or
            folder, Hugging Face Parquet, one folder of pictures per class, or an `.npz`.
        data_dir: where CIFAR lies, or its parent. Without it: the folder in SMALLVISION_DATA,
            then the cache, then a download.
        image_size: pixels a side to bring pictures to (8 to 96); by default sizes stay where
            they agree and become 32 where they differ.
        size: number of training images of `synthetic`.
        seed: chooses the test images of a source that has none, and draws `synthetic`.
        mirror_safe: whether a left-right flip keeps the label, so that models may learn from
            mirror images; by default what is known of a named set, and true of others.

    Returns: training images, and the test set behind its seal.

    Raises:
        DataError: the source is unknown, missing or damaged.
        SettingError: an option that this source does not have.
    """
    data = _find_data(source, data_dir, image_size, size, seed)
    return data if mirror_safe is None else replace(data, mirror_safe=mirror_safe)


def _find_data(
    source: str | Path,
    data_dir: str | Path | None,
    image_size: int | None,
    size: int | None,
    seed: int,
) -> DataSet:
    known = CATALOG.get(source) if isinstance(source, str) else None
    if data_dir is not None and (known is None or known.train_n is None):
        raise SettingError(f"data_dir is for cifar10 and cifar100; '{source}' does not need it")
    if size is not None and source != "synthetic":
        raise SettingError(f"size is for synthetic; '{source}' has the size it has")
    if known is None:
        return _load_path(expand(source), image_size, seed)
    if known.name == "synthetic":
        options = {"size": size, "image_size": image_size}
        given = {name: value for name, value in options.items() if value is not None}
        return make_synthetic(seed=seed, **given)[0]
    if image_size is not None:
        raise SettingError(f"image_size is for folders, Parquet and synthetic, not '{source}'")
    if known.name == "digits":
        return assemble(digits_layout(), name="digits", seed=seed, mirror_safe=known.mirror_safe)
    data = assemble(find_official(known.name, data_dir), name=known.name, seed=seed)
    _check_official(data, known)
    return data


def as_dataset(data: DataSet | str | Path, data_dir: str | Path | None = None) -> DataSet:
    """A data set as it is, or loaded by name or path.

    Raises:
        DataError: it cannot be loaded.
    """
    return data if isinstance(data, DataSet) else load_data(data, data_dir=data_dir)


def _load_path(path: Path, image_size: int | None, seed: int) -> DataSet:
    if not path.exists():
        raise DataError(
            f"'{path}' is neither a known data set nor an existing file or folder"
            f"{nearest(str(path), CATALOG)}"
        )
    layout = find_layout(path, image_size=image_size)
    return assemble(layout, name=name_data(path), seed=seed)


def name_data(source: str | Path) -> str:
    """What a data set is called: its name, or that of its file or folder without the ending."""
    if source in CATALOG:
        return str(source)
    # absolute(), for resolve() fails on a link to itself, which is then reported as no data set.
    return expand(source).absolute().name.partition(".")[0]


def _check_official(data: DataSet, known: Source) -> None:
    """Whoever asks for CIFAR by name gets all of it, or an error."""
    found = (data.train.num_classes, data.train.shape, len(data.train), len(data.test))
    if found != (known.num_classes, known.shape, known.train_n, known.test_n):
        raise DataError(
            f"{known.name} has {known.train_n:,} training and {known.test_n:,} test images in "
            f"{known.num_classes} classes; these files hold {found[2]:,} and {found[3]:,} in "
            f"{found[0]}: get all of it, or load the part by its path"
        )
