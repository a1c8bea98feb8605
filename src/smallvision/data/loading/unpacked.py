"""What archives hold, unpacked into the cache once.

Archives are unpacked into a folder under a name that cannot be guessed, which is renamed when it is
whole. A folder is used as long as the archives have the size and time that it was unpacked from.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from smallvision.data.decoding.formats.unpack import is_packed, limit_total, unpack
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.sources.pictures.meaning import FILE_WORDS
from smallvision.data.sources.pictures.tree import show_inside
from smallvision.data.sources.source import (
    LeftOut,
    errors_at,
    merge_left_out,
    record_left_out,
    tell_part,
)
from smallvision.data.storage.room import cache_folder
from smallvision.errors import DataError
from smallvision.records import store
from smallvision.records.schema import UnpackedArchive

FILES, MANIFEST = "files", "archive.json"
MOST_INNER = 20  # archives inside an archive
_UNDER_WAY, _STALE_SECONDS = "tmp-", 86_400

Skipped: TypeAlias = list[tuple[str, str]]  # the reason, and the name of a member


def unpack_once(place: Path) -> Path:
    """The folder that an archive is unpacked in; older states of the archive are removed.

    Raises:
        DataError: it is damaged, claims too much, or the cache has no room.
    """
    return _keep(place, _describe_state([place]), lambda folder: _unpack_all(place, folder))


def unpack_together(place: Path, archives: Sequence[Path]) -> Path:
    """The folder that the archives in a folder are unpacked in, each to a folder of its name.

    What lies beside them is linked. Archives whose names differ in numbers alone, and that hold
    folders of the same names, are pieces of one tree and become one folder.

    Raises:
        DataError: as for `unpack_once`.
    """
    others = [path for path in sorted(place.iterdir()) if path not in archives]
    state = _describe_state(archives) + "\n".join(path.name for path in others)

    def fill(folder: Path) -> Skipped:
        skipped = _unpack_each(place, archives, folder)
        for path in others:
            if not (path.name.startswith(".") or (folder / path.name).exists()):
                (folder / path.name).symlink_to(path.absolute())
        return skipped

    return _keep(place, state, fill)


def _describe_state(archives: Sequence[Path]) -> str:
    states = [(path.resolve(), path.stat()) for path in archives]
    return "\n".join(f"{path}\n{state.st_size}\n{state.st_mtime_ns}" for path, state in states)


def _keep(place: Path, identity: str, fill: Callable[[Path], Skipped]) -> Path:
    """The folder in the cache that was filled for a place whose state has this identity."""
    own = hashlib.sha256(os.fsencode(str(place.resolve()))).hexdigest()[:16]
    shelf = cache_folder() / "unpacked" / f"{place.name.partition('.')[0][:100]}-{own}"
    home = shelf / hashlib.sha256(os.fsencode(identity)).hexdigest()[:16]
    if (home / MANIFEST).is_file():
        return home
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        _sweep(shelf)
        _fill_new(place, shelf, home, fill)
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


def _fill_new(place: Path, shelf: Path, home: Path, fill: Callable[[Path], Skipped]) -> None:
    made = Path(tempfile.mkdtemp(dir=shelf, prefix=_UNDER_WAY))
    try:
        (made / FILES).mkdir()
        skipped = merge_left_out(
            LeftOut(reason, 1, show_inside(Path(name), place))
            for reason, name in fill(made / FILES)
        )
        record = UnpackedArchive(left_out=record_left_out(skipped))
        store.write(made / MANIFEST, record)
        with suppress(FileExistsError):  # another process was faster
            made.rename(home)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unpack_all(place: Path, folder: Path) -> Skipped:
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


def _unpack_each(place: Path, archives: Sequence[Path], folder: Path) -> Skipped:
    skipped: Skipped = []
    pieces: dict[str, list[Path]] = {}
    for archive in archives:
        target = folder / archive.name.partition(".")[0]
        target.mkdir()
        with errors_at(archive.relative_to(place)):
            skipped += unpack(archive, target, limit_total(archive, folder)).skipped
        _flatten(target)
        if not tell_part(target.name):
            pieces.setdefault(re.sub(r"\d+", "#", target.name), []).append(target)
    for first, *others in pieces.values():
        for other in others:
            if _list_folders(first) & _list_folders(other):
                _merge(other, first, other.name)
    return skipped


def _list_folders(folder: Path) -> set[str]:
    """The names of the folders in it that might be classes, or hold these."""
    return {
        path.name
        for path in folder.iterdir()
        if path.is_dir() and not FILE_WORDS.fullmatch(path.name)
    }


def _merge(source: Path, target: Path, called: str) -> None:
    """Move what lies in a folder into another; a file whose name is taken gets a longer one."""
    for path in sorted(source.iterdir()):
        to = target / path.name
        if path.is_dir() and to.is_dir():
            _merge(path, to, called)
        else:
            path.rename(to.with_name(f"{path.stem} ({called}){path.suffix}") if to.exists() else to)
    source.rmdir()


def _flatten(folder: Path) -> None:
    """Take a folder away that only repeats the name of the one around it (`train/train/`)."""
    inner = [*folder.iterdir()]
    if len(inner) == 1 and inner[0].name == folder.name and inner[0].is_dir():
        outer = folder.rename(folder.with_name(f".{folder.name}"))
        (outer / folder.name).rename(folder)
        outer.rmdir()
