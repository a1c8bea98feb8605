"""Archives of any layout: unpacked into the cache once, then recognized like a folder.

An archive is unpacked into a folder under a name that cannot be guessed, which is renamed when it
is whole. A folder is used as long as the archive has the size and time that it was unpacked from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from smallvision.data.decoding.formats.unpack import is_packed, limit_total, unpack
from smallvision.data.decoding.labels import name_some
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.sources.cifar import find_cifar
from smallvision.data.sources.pictures.tree import show_inside
from smallvision.data.sources.source import (
    Layout,
    LeftOut,
    SourceOptions,
    errors_at,
    merge_left_out,
    record_left_out,
    tell_part,
)
from smallvision.data.sources.table import recognize
from smallvision.data.sources.tar_shards import is_sampled
from smallvision.data.storage.room import cache_folder
from smallvision.errors import DataError, UserError
from smallvision.records import store
from smallvision.records.schema import UnpackedArchive

FILES, MANIFEST = "files", "archive.json"
# Beside the one folder of an archive: what people say of their data, and what systems leave behind.
_DOCUMENTS = ("", ".md", ".txt", ".pdf", ".html", ".rtf", ".docx", ".ini")
_MAC = "__MACOSX"
MOST_INNER = 20  # archives inside an archive
_UNDER_WAY, _STALE_SECONDS = "tmp-", 86_400


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
                    opened[part] = _find_top(_unpack_once(path) / FILES)
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
        archives = [path.name for path in _list_archives(place)]
        if not archives:
            raise
        told = {part: name for name in archives if (part := tell_part(name.partition(".")[0]))}
        parts = "".join(f" --{part} {name}" for part, name in sorted(told.items(), reverse=True))
        named = f", or those of the parts ({parts.strip()})" if "train" in told else ""
        raise DataError(
            f"{error}; it holds archives ({name_some(archives)}): name one of them{named}, or "
            "unpack them"
        ) from error


def _list_archives(place: Path) -> list[Path]:
    return sorted(filter(is_packed, place.iterdir())) if place.is_dir() else []


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
        home = _unpack_once(place)
        record = store.read(home / MANIFEST, UnpackedArchive)
    folder = home / FILES
    try:
        layout = recognize(_find_top(folder), options)
    except UserError as error:
        raise type(error)(str(error).replace(str(folder), str(place))) from error
    skipped = (LeftOut(one.reason, one.count, one.example) for one in record.left_out)
    rest = merge_left_out([*layout.left_out, *skipped])
    return replace(layout, place=place, files=(place,), left_out=rest)


def _unpack_once(place: Path) -> Path:
    """The folder that an archive is unpacked in; older states of the archive are removed."""
    state = place.stat()
    identity = f"{place.resolve()}\n{state.st_size}\n{state.st_mtime_ns}"
    own = hashlib.sha256(os.fsencode(str(place.resolve()))).hexdigest()[:16]
    shelf = cache_folder() / "unpacked" / f"{place.name.partition('.')[0][:100]}-{own}"
    home = shelf / hashlib.sha256(os.fsencode(identity)).hexdigest()[:16]
    if (home / MANIFEST).is_file():
        return home
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        _sweep(shelf)
        _unpack_new(place, shelf, home)
    except OSError as error:
        raise DataError(
            f"it cannot be unpacked into the cache at {shelf} ({error.strerror or error}); make "
            "room there, or name another folder with SMALLVISION_CACHE"
        ) from error
    return home


def _sweep(shelf: Path) -> None:
    """Remove what older states of an archive were unpacked to, and what a kill left behind."""
    for old in shelf.iterdir():
        under_way = old.name.startswith(_UNDER_WAY)
        if not under_way or time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)


def _unpack_new(place: Path, shelf: Path, home: Path) -> None:
    made = Path(tempfile.mkdtemp(dir=shelf, prefix=_UNDER_WAY))
    try:
        (made / FILES).mkdir()
        skipped = merge_left_out(
            LeftOut(reason, 1, show_inside(Path(name), place))
            for reason, name in _unpack_all(place, made / FILES)
        )
        record = UnpackedArchive(left_out=record_left_out(skipped))
        store.write(made / MANIFEST, record)
        with suppress(FileExistsError):  # another process was faster
            made.rename(home)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unpack_all(place: Path, folder: Path) -> list[tuple[str, str]]:
    """Unpack an archive, and the few archives in it, as Kaggle packs the parts of a data set.

    Those are replaced by folders of their names. All together unpack to no more bytes than the
    outer one may.
    """
    most = limit_total(place, folder)
    done = unpack(place, folder, most)
    skipped = done.skipped
    inner = [path for entry in walk_entries(folder) if is_packed(path := Path(entry.path))]
    for archive in inner if len(inner) <= MOST_INNER else ():
        target = archive.parent / archive.name.partition(".")[0]
        if target.exists() or not target.name:
            continue
        target.mkdir()
        with errors_at(archive.relative_to(folder)):
            most -= done.nbytes
            done = unpack(archive, target, most)
        skipped += done.skipped
        archive.unlink()
        _flatten(target)
    return skipped


def _flatten(folder: Path) -> None:
    """Take a folder away that only repeats the name of the one around it (`train/train/`)."""
    inner = [*folder.iterdir()]
    if len(inner) == 1 and inner[0].name == folder.name and inner[0].is_dir():
        outer = folder.rename(folder.with_name(f".{folder.name}"))
        (outer / folder.name).rename(folder)
        outer.rmdir()


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
