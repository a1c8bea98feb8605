"""Where a named data set lies: in a folder of the user, in the cache, or on the network."""

from __future__ import annotations

import os
from pathlib import Path

from smallvision.data.sources.named import NAMED_DATA_SETS, NamedDataSet, OfficialFiles
from smallvision.data.sources.source import Layout, errors_at
from smallvision.data.storage.room import cache_folder, expand
from smallvision.errors import DataError, SettingError


def find_named(known: NamedDataSet, data_dir: str | Path | None = None) -> Layout:
    """Describe a named data set, and download its files where no folder holds them.

    The files are looked for in `data_dir` alone if that is given; else in the folder that
    SMALLVISION_DATA names, then among the downloads in the cache.

    Raises:
        DataError: `data_dir` does not hold them, a file is damaged, or the download fails.
        SettingError: `data_dir` for a data set without files.
    """
    files = known.content
    if not isinstance(files, OfficialFiles):
        check_data_dir(known.name, data_dir)
        return files()
    if data_dir is not None:
        layout = search(files, expand(data_dir), named=True)
        if layout is None:
            raise DataError(f"{data_dir} holds no {known.name}; looked for {files.expected}")
        return layout
    for folder in usual_folders():
        if layout := search(files, folder):
            return layout
    return _download(known.name, files)


def check_data_dir(source: str | Path, data_dir: str | Path | None) -> None:
    """Refuse a `data_dir` for a source that is not looked for.

    Raises:
        SettingError: there is one.
    """
    if data_dir is not None:
        names = " and ".join(list_with_files())
        raise SettingError(f"data_dir is for {names}; '{source}' does not need it")


def list_with_files() -> dict[str, OfficialFiles]:
    """The named data sets that consist of files."""
    contents = {name: known.content for name, known in NAMED_DATA_SETS.items()}
    return {name: files for name, files in contents.items() if isinstance(files, OfficialFiles)}


def find_places(data_dir: str | Path | None = None) -> dict[str, Path | DataError | None]:
    """Where the files of each named data set lie on this machine, or what is wrong with them.

    No image is decoded and nothing is downloaded.
    """
    named = data_dir is not None
    folders = usual_folders() if data_dir is None else [expand(data_dir)]
    found: dict[str, Path | DataError | None] = {}
    for name, files in list_with_files().items():
        layouts = (search(files, folder, named=named) for folder in folders if folder.exists())
        try:
            found[name] = next((layout.place for layout in layouts if layout), None)
        except DataError as error:
            found[name] = error
    return found


def usual_folders() -> list[Path]:
    """The folder that SMALLVISION_DATA names, if any, and that of the downloads."""
    chosen = os.environ.get("SMALLVISION_DATA")
    return [*([expand(chosen)] if chosen else []), cache_folder() / "downloads"]


def search(files: OfficialFiles, place: Path, *, named: bool = False) -> Layout | None:
    """Look for files at a place, which the user may have `named` for this data set.

    Raises:
        DataError: a file is damaged; the message starts with the place.
    """
    with errors_at(place):
        return files.search(place, named)


def _download(name: str, files: OfficialFiles) -> Layout:
    from smallvision.data.loading.download import download  # rarely needed, slow to import

    try:
        archive = download(files.url, files.md5, cache_folder() / "downloads")
    except DataError as error:
        raise DataError(
            f"{error}; or get {files.expected} by other means and name the folder with data_dir "
            "or SMALLVISION_DATA"
        ) from error
    layout = search(files, archive)
    if layout is None:
        raise DataError(f"{archive} holds no {name}; delete it and try again")
    return layout
