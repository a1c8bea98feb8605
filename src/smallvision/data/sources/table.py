"""The table of all kinds of sources.

A new kind is one file with a class that implements `Source`, and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from smallvision.data.sources.cifar import CifarSource
from smallvision.data.sources.known.class_arrays import ClassArraysSource
from smallvision.data.sources.known.idx import IdxSource
from smallvision.data.sources.known.pixel_table import PixelTableSource
from smallvision.data.sources.known.stl10 import Stl10Source
from smallvision.data.sources.known.svhn import SvhnSource
from smallvision.data.sources.npz import NpzSource
from smallvision.data.sources.parquet import ParquetSource
from smallvision.data.sources.pictures.folder import FolderSource
from smallvision.data.sources.pictures.patterns import PatternSource
from smallvision.data.sources.pictures.tables import TableSource, is_table
from smallvision.data.sources.source import (
    Layout,
    Part,
    Source,
    SourceOptions,
    errors_at,
    merge_left_out,
    tell_part,
)
from smallvision.data.sources.tar_shards import TarShardsSource, is_pattern
from smallvision.data.sources.unread import explain_unread
from smallvision.errors import DataError

# They are tried in this order. Any folder might be a folder of pictures, so that is tried last.
SOURCES: tuple[Source, ...] = (
    CifarSource(),
    NpzSource(),
    ClassArraysSource(),
    ParquetSource(),
    TarShardsSource(),
    IdxSource(),
    SvhnSource(),
    Stl10Source(),
    PixelTableSource(),
    PatternSource(),
    TableSource(),
    FolderSource(),
)


def recognize(place: Path, options: SourceOptions) -> Layout:
    """Recognize what a file or folder holds.

    Parts that the user named are files of any kind, or folders of pictures.

    Raises:
        DataError: no source recognizes it, or the one that does finds it incomplete or damaged.
        SettingError: an option that the source does not take.
    """
    named: dict[Part, Path | None] = {
        "train": options.train,
        "val": options.val,
        "test": options.test,
    }
    files = {part: path for part, path in named.items() if path is not None}
    files = files or _find_part_files(place)
    if files and all(is_table(path) for path in files.values()):
        with errors_at(place):
            layout = TableSource().recognize_parts(place, files, options)
            options.check((*TableSource.takes, *named), f"{place} ({layout.source})")
            return replace(layout, options=options)
    if any(path.is_file() for path in files.values()):
        return _join(place, files, options)
    return _recognize_one(place, options)


def _find_part_files(place: Path) -> dict[Part, Path]:
    """The `.npz` files of a folder where each is a part by its name (`train.npz`, `test.npz`)."""
    paths = sorted(place.glob("*.npz")) if place.is_dir() else []
    parts = {part: path for path in paths if (part := tell_part(path.stem)) and path.is_file()}
    return parts if "train" in parts and len(parts) == len(paths) else {}


def _join(place: Path, files: Mapping[Part, Path], options: SourceOptions) -> Layout:
    """A source whose parts are sources of their own: the files that the user named."""
    alone = replace(options, train=None, val=None, test=None)
    layouts = {part: _recognize_one(path, alone) for part, path in files.items()}
    for part, layout in layouts.items():
        if len(layout.parts) > 1:
            raise DataError(
                f"{files[part]}, which is named for {part}, has parts of its own "
                f"({', '.join(layout.parts)}); load it alone"
            )
    parts = {part: layout.parts["train"] for part, layout in layouts.items()}
    if "train" not in layouts:
        layouts["train"] = _recognize_one(place, alone)
        parts = {**layouts["train"].parts, **parts}
    every = tuple(layouts.values())
    return Layout(
        source=layouts["train"].source,
        parts=parts,
        place=place,
        files=tuple(file for layout in every for file in layout.files),
        options=options,
        left_out=merge_left_out(one for layout in every for one in layout.left_out),
        notes=tuple(note for layout in every for note in layout.notes),
    )


def _recognize_one(place: Path, options: SourceOptions) -> Layout:
    with errors_at(place):
        if not (place.is_file() or place.is_dir() or is_pattern(place)):
            raise DataError("is neither a file nor a folder, but a pipe, a socket or a device")
        for source in SOURCES:
            layout = source.recognize(place, options)
            if layout is not None:
                options.check(source.takes, f"{place} ({layout.source})")
                return replace(layout, options=options)
        if place.is_file() and (unread := explain_unread(place.name)):
            raise DataError(unread)
        *some, last = (source.expects for source in SOURCES)
        raise DataError(f"not a data set; expected {', '.join(some)} or {last}")
