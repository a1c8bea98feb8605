"""The table of all kinds of sources.

A new kind is one file with a class that implements `Source`, and one line here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from smallvision.data.sources.cifar import CifarSource
from smallvision.data.sources.known.idx import IdxSource
from smallvision.data.sources.known.stl10 import Stl10Source
from smallvision.data.sources.known.svhn import SvhnSource
from smallvision.data.sources.known.tiny_imagenet import TinyImageNetSource
from smallvision.data.sources.npz import NpzSource
from smallvision.data.sources.parquet import ParquetSource
from smallvision.data.sources.pictures.folder import FolderSource
from smallvision.data.sources.pictures.patterns import PatternSource
from smallvision.data.sources.pictures.tables import TableSource
from smallvision.data.sources.source import Layout, Source, SourceOptions, errors_at
from smallvision.errors import DataError

# They are tried in this order. Any folder might be a folder of pictures, so that is tried last.
SOURCES: tuple[Source, ...] = (
    CifarSource(),
    NpzSource(),
    ParquetSource(),
    IdxSource(),
    SvhnSource(),
    Stl10Source(),
    TinyImageNetSource(),
    PatternSource(),
    TableSource(),
    FolderSource(),
)


def recognize(place: Path, options: SourceOptions) -> Layout:
    """Recognize what a file or folder holds.

    Raises:
        DataError: no source recognizes it, or the one that does finds it incomplete or damaged.
        SettingError: an option that the source does not take.
    """
    with errors_at(place):
        if not (place.is_file() or place.is_dir()):
            raise DataError("is neither a file nor a folder, but a pipe, a socket or a device")
        for source in SOURCES:
            layout = source.recognize(place, options)
            if layout is not None:
                options.check(source.takes, f"{place} ({layout.source})")
                return replace(layout, options=options)
        *some, last = (source.expects for source in SOURCES)
        raise DataError(f"not a data set; expected {', '.join(some)} or {last}")
