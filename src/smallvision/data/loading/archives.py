"""Archives of any layout, and folders of archives: unpacked, then recognized like a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from smallvision.data.decoding.formats.unpack import is_packed
from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.labels import name_some
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.loading.unpacked import FILES, MANIFEST, unpack_once, unpack_together
from smallvision.data.sources.cifar import find_cifar
from smallvision.data.sources.pictures.lists.picture_list import may_list
from smallvision.data.sources.pictures.tables import is_table
from smallvision.data.sources.pictures.tree import show_inside
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    SourceOptions,
    errors_at,
    merge_left_out,
    tell_part,
)
from smallvision.data.sources.table import recognize
from smallvision.data.sources.tar_shards import is_sampled
from smallvision.errors import DataError, UserError
from smallvision.records import store
from smallvision.records.schema import UnpackedArchive

# Beside the one folder of an archive: what people say of their data, and what systems leave behind.
_DOCUMENTS = ("", ".md", ".txt", ".pdf", ".html", ".rtf", ".docx", ".ini")
_MAC = "__MACOSX"
MOST_ARCHIVES = 1_000  # in a folder: one for each class


def recognize_place(place: Path, options: SourceOptions) -> Layout:
    """Recognize what a file, a folder or an archive holds; parts may be archives of their own.

    Raises:
        DataError: no source recognizes it, or the one that does finds it incomplete or damaged.
        SettingError: an option that the source does not take.
    """
    opened = _open_parts(options)
    if not opened:
        return _recognize_whole(place, options)
    try:
        layout = _recognize_whole(
            place,
            replace(
                options,
                train=opened.get("train", options.train),
                val=opened.get("val", options.val),
                test=opened.get("test", options.test),
            ),
        )
    except UserError as error:
        raise type(error)(_name_archives(str(error), opened, options)) from error
    return replace(
        layout,
        options=options,
        files=(*layout.files, *(getattr(options, part) for part in opened)),
        left_out=tuple(
            replace(one, example=_name_archives(one.example, opened, options))
            for one in layout.left_out
        ),
        notes=tuple(_name_archives(note, opened, options) for note in layout.notes),
    )


def _open_parts(options: SourceOptions) -> dict[str, Path]:
    """Unpack the archives that the user named for parts: the folders or files to read instead."""
    opened = {}
    for part in ("train", "val", "test"):
        path: Path | None = getattr(options, part)
        if path is not None and is_packed(path) and not is_sampled(path):
            with errors_at(path):
                if not find_cifar(path):
                    opened[part] = _find_top(unpack_once(path) / FILES)
    return opened


def _name_archives(text: str, opened: Mapping[str, Path], options: SourceOptions) -> str:
    """A text in which archives are called by their names, not by what they were unpacked to."""
    for part, path in opened.items():
        archive: Path = getattr(options, part)
        text = text.replace(str(path), str(archive)).replace(str(path)[1:], str(archive))
    return text


def _recognize_whole(place: Path, options: SourceOptions) -> Layout:
    if is_packed(place) and not is_sampled(place):
        return recognize_archive(place, options)
    try:
        return recognize(place, options)
    except DataError as error:
        reason = error
    folder = place if place.is_dir() else place.parent
    archives = _list_archives(folder) if place.is_dir() or is_table(place) else []
    if archives and _is_set(folder, archives):
        try:
            return _recognize_together(place, archives, options)
        except DataError as error:
            reason = error
    names = [path.name for path in archives] or _list_below(place)
    if not names:
        raise reason
    told = {part: name for name in names if (part := tell_part(name.partition(".")[0]))}
    parts = "".join(f" --{part} {name}" for part, name in sorted(told.items(), reverse=True))
    named = f", or those of the parts ({parts.strip()})" if "train" in told else ""
    raise DataError(
        f"{reason}; {'it holds' if place.is_dir() else 'beside it lie'} archives "
        f"({name_some(names)}): name one of them{named}, or unpack them"
    ) from reason


def _list_archives(folder: Path) -> list[Path]:
    return sorted(filter(is_packed, folder.iterdir())) if folder.is_dir() else []


def _list_below(place: Path) -> list[str]:
    """What the archives at any depth of a folder are called."""
    below = [Path(entry.path) for entry in walk_entries(place)] if place.is_dir() else []
    return sorted(show_inside(path, place) for path in below if is_packed(path))


def _is_set(place: Path, archives: Sequence[Path]) -> bool:
    """Whether a folder of archives is a data set by all that lies in it, and no folder of files.

    Any other is not unpacked, which might take hours.
    """
    endings = (*_DOCUMENTS[1:], *SUFFIXES)
    others = [path for path in place.iterdir() if path not in archives and path.is_file()]
    return (
        len(archives) <= MOST_ARCHIVES
        and all(
            may_list(path.name) or path.name.lower().endswith(endings) or "." not in path.name[1:]
            for path in others
        )
        and not any(find_cifar(path) or is_sampled(path) for path in archives)
    )


def _recognize_together(place: Path, archives: Sequence[Path], options: SourceOptions) -> Layout:
    """Unpack the archives in a folder, or beside a table, and recognize what all of it is."""
    folder = place if place.is_dir() else place.parent
    with errors_at(place):
        files = unpack_together(folder, archives) / FILES
    top = files if place.is_dir() else files / place.name
    called = {files / path.name.partition(".")[0]: path for path in archives}
    layout = _recognize_unpacked(files, top, place, called, options)
    names = name_some([path.name for path in archives])
    note = f"The archives were unpacked and are read as one set: {names}."
    return replace(layout, files=(*archives, *layout.files), notes=(note, *layout.notes))


def _recognize_unpacked(
    files: Path, top: Path, place: Path, called: Mapping[Path, Path], options: SourceOptions
) -> Layout:
    """Recognize what was unpacked.

    Args:
        files: the folder in the cache that it was unpacked to.
        top: what to recognize of it.
        place: what the user named.
        called: paths in the folder, and what errors call them.
        options: of the user.
    """
    try:
        layout = recognize(top, options)
    except UserError as error:
        text = str(error)
        for path, name in {**called, top: place, files: place}.items():
            text = text.replace(str(path), str(name))
        for archive in called.values() if called else (place,):
            if f"{archive}{os.sep}" in text:
                text += f"; unpack {archive.name} to name a folder in it"
                break
        raise type(error)(text) from error
    record = store.read(files.parent / MANIFEST, UnpackedArchive)
    skipped = (LeftOut(one.reason, one.count, one.example) for one in record.left_out)
    return replace(layout, place=place, left_out=merge_left_out([*layout.left_out, *skipped]))


def recognize_archive(place: Path, options: SourceOptions) -> Layout:
    """Unpack an archive into the cache and recognize what it holds.

    Args:
        place: a `.zip`, `.tar` or `.tar.gz`.
        options: of the user.

    Returns: the layout of its content, whose place is the archive.

    Raises:
        DataError: it is damaged, claims too much, or holds no data set; the message starts with
            the place of the archive.
        SettingError: an option that its content does not take.
    """
    with errors_at(place):
        if find_cifar(place):  # the official archives are read without unpacking
            return recognize(place, options)
        files = unpack_once(place) / FILES
    layout = _recognize_unpacked(files, _find_top(files), place, {}, options)
    return replace(layout, files=(place,))


def _find_top(folder: Path) -> Path:
    """The folder, or the one file, that an archive is about: below folders that hold just one."""
    while True:
        entries = [
            entry
            for entry in folder.iterdir()
            if not entry.name.startswith(".") and entry.name != _MAC
        ]
        folders = [entry for entry in entries if entry.is_dir()]
        files = [entry for entry in entries if entry not in folders]
        documents = all(file.suffix.lower() in _DOCUMENTS for file in files)
        if len(entries) == 1 and files and not documents:
            return files[0]
        if len(folders) != 1 or not documents:
            return folder
        folder = folders[0]
