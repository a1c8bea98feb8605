"""Where a data set lies: the layout of a path, and the folders that CIFAR is looked for in."""

from __future__ import annotations

import os
from pathlib import Path

from smallvision.data.decoding.download import download
from smallvision.data.decoding.parquet_file import read_columns
from smallvision.data.loading.cache import cache_folder, expand
from smallvision.data.sources.cifar import find_cifar
from smallvision.data.sources.cifar_archives import EDITIONS
from smallvision.data.sources.folder import find_folder_layout
from smallvision.data.sources.named import CATALOG
from smallvision.data.sources.npz import find_npz
from smallvision.data.sources.parquet import find_parquet, holds_parts
from smallvision.data.sources.source import Layout, errors_at
from smallvision.errors import DataError, SettingError

BASE_URL = "https://www.cs.toronto.edu/~kriz/"


def find_layout(place: Path, *, image_size: int | None = None) -> Layout:
    """Recognize what a file or folder holds.

    Raises:
        DataError: none of the layouts fits, or the one that fits is incomplete.
        SettingError: `image_size` for a layout whose images have a fixed size.
    """
    with errors_at(place):
        fixed = find_cifar(place) or find_npz(place)
        if fixed and image_size is not None:
            raise SettingError(f"image_size does not apply to {place}: its images have their size")
        layout = fixed or find_parquet(place, image_size=image_size)
        if layout:
            return layout
        if place.is_dir():
            return find_folder_layout(place, image_size=image_size)
        raise DataError("not a data set; expected a CIFAR .tar.gz, .parquet, .npz or a folder")


def find_official(name: str, data_dir: str | Path | None = None) -> Layout:
    """Find CIFAR by name: in `data_dir`, else SMALLVISION_DATA, the cache, a download.

    Raises:
        DataError: `data_dir` does not hold it, or the download fails.
    """
    if data_dir is not None:
        layout = _search(name, expand(data_dir), named=True)
        if layout is None:
            raise DataError(f"{data_dir} holds no {name}; looked for {_describe(name)}")
        return layout
    for place in usual_places():
        if layout := _search(name, place):
            return layout
    return _download(name, usual_places()[-1])


def usual_places() -> list[Path]:
    """Where a named data set is looked for: SMALLVISION_DATA if set, then the downloads."""
    chosen = os.environ.get("SMALLVISION_DATA")
    return [*([expand(chosen)] if chosen else []), cache_folder() / "downloads"]


def find_places(data_dir: str | Path | None = None) -> dict[str, Path | DataError | None]:
    """Where each official data set lies on this machine, or what is wrong with it there.

    No images are read, nothing is downloaded.
    """
    named = data_dir is not None
    roots = [expand(data_dir)] if data_dir is not None else usual_places()
    found: dict[str, Path | DataError | None] = {}
    for name in dict.fromkeys(edition.name for edition in EDITIONS):
        layouts = (_search(name, root, named=named) for root in roots if root.exists())
        try:
            found[name] = next((layout.place for layout in layouts if layout), None)
        except DataError as error:
            found[name] = error
    return found


def _search(name: str, root: Path, *, named: bool = False) -> Layout | None:
    """Look in the folder itself and in its sub-folder of that name.

    In a folder that was not `named` for this data set, Parquet files of another may well lie.
    """
    with errors_at(root):
        for place in (root, root / name):
            if layout := find_cifar(place, name):
                return layout
        for place in (root / name, root, root / "plain_text"):
            own = place.name == name
            if not (own or holds_parts(place, "*" if named else "-*")):
                continue
            layout = find_parquet(place, deep=own)
            columns = read_columns(layout.files[0]) if layout else None
            if columns is None or (columns.label == "fine_label") != (name == "cifar100"):
                continue
            named_so = columns.class_names in (None, CATALOG[name].class_names)
            if own or (named_so if named else columns.image == "img"):
                return layout
    return None


def _download(name: str, folder: Path) -> Layout:
    edition = next(edition for edition in EDITIONS if edition.name == name)
    try:
        archive = download(BASE_URL + edition.archive, edition.md5, folder)
    except DataError as error:
        raise DataError(
            f"{error}; or get {_describe(name)} by other means and say where with data_dir "
            "or SMALLVISION_DATA"
        ) from error
    layout = find_cifar(archive, name)
    if layout is None:
        raise DataError(f"{archive} holds no {name}; delete it and try again")
    return layout


def _describe(name: str) -> str:
    editions = [edition for edition in EDITIONS if edition.name == name]
    packed = " or ".join(edition.archive for edition in editions)
    folders = " or ".join(f"{edition.folder}/" for edition in editions)
    return f"{packed}, {folders} or train-*.parquet with test-*.parquet"
