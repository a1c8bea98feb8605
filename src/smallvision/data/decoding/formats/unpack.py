"""Unpack a `.zip`, `.tar` or `.tar.gz` from anywhere into an empty folder of our own.

Only plain files are written, each under the folder and none through a link, since no link is ever
made there. What an archive claims is bounded before and while it is unpacked.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from smallvision.data.decoding.formats.zip_directory import check_directory
from smallvision.data.decoding.regular import MAX_DEPTH, open_regular
from smallvision.data.decoding.tar import TarLimits, open_tar
from smallvision.errors import DataError
from smallvision.records.files import BOMB_BYTES, BOMB_RATIO, DAMAGES

ZIP_SUFFIXES, TAR_SUFFIXES = (".zip",), (".tar", ".tar.gz", ".tgz")
MAX_TOTAL_BYTES = 50_000_000_000  # that any archive unpacks to
MAX_MEMBERS = 250_000  # a data set of 200 classes and 120,000 pictures has 121,000
# Of a tar, which may pack headers without content to a few bytes: more than so many members take
# so many bytes each.
FEW_MEMBERS, MEMBER_BYTES = 5_000, 100
MAX_DIRECTORY_BYTES = 64_000_000  # of a zip file: 250 bytes for each member
_CHUNK = 1 << 20
# LZMA may ask for gigabytes of memory.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)

LINK = "a link or a special file in the archive"
OUTSIDE = "a name that leads out of the archive or is too long"
TWICE = "a second file of the same name in the archive"


@dataclass
class Unpacked:
    """What became of an archive.

    Attributes:
        nbytes: of all files that were written.
        skipped: `(reason, name)` of the members that were left out.
    """

    nbytes: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)


def is_packed(place: Path) -> bool:
    """Whether a file is called like an archive that can be unpacked."""
    return place.name.lower().endswith(ZIP_SUFFIXES + TAR_SUFFIXES) and place.is_file()


def limit_total(archive: Path, folder: Path) -> int:
    """How many bytes an archive may unpack to: what it can measure, and what the disk can hold."""
    packed = archive.stat().st_size
    free = shutil.disk_usage(folder).free
    return min(MAX_TOTAL_BYTES, free, max(BOMB_BYTES, BOMB_RATIO * packed))


def unpack(archive: Path, folder: Path, most: int) -> Unpacked:
    """Unpack all plain files of an archive.

    Args:
        archive: a file for which `is_packed` holds.
        folder: an empty folder that nobody else writes to.
        most: bytes that it may unpack to.

    Raises:
        DataError: the archive is damaged, protected with a password, or claims too much.
        OSError: a file cannot be written.
    """
    done = Unpacked()
    folders: set[Path] = set()  # that were made
    members = _read_zip if archive.name.lower().endswith(ZIP_SUFFIXES) else _read_tar
    for name, file in members(archive, most, done):
        target = _find_target(folder, name)
        if target is None:
            done.skipped.append((OUTSIDE, name))
            continue
        try:
            if target.parent not in folders:
                target.parent.mkdir(parents=True, exist_ok=True)
                folders.add(target.parent)
            with target.open("xb") as made, _damage():
                shutil.copyfileobj(file, made, _CHUNK)
                done.nbytes += made.tell()
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            done.skipped.append((TWICE, name))
    return done


def _find_target(folder: Path, name: str) -> Path | None:
    """Where a member is written, or None where its name leads out of the folder."""
    # Some packers of Windows write backslashes, which the standard forbids.
    name = name.replace("\\", "/")
    path = PurePosixPath(name)
    parts = [part for part in path.parts if part != "."]
    drive = bool(parts) and parts[0].endswith(":")
    if path.is_absolute() or ".." in parts or drive or "\0" in name or not parts:
        return None
    if len(parts) > MAX_DEPTH or any(len(part.encode(errors="replace")) > 255 for part in parts):
        return None
    return folder.joinpath(*parts)


def _read_tar(archive: Path, total: int, done: Unpacked) -> Iterator[tuple[str, IO[bytes]]]:
    most = min(MAX_MEMBERS, max(FEW_MEMBERS, archive.stat().st_size // MEMBER_BYTES))
    limits = TarLimits(MAX_TOTAL_BYTES, total, most, "archive of pictures or arrays")
    with open_tar(archive, limits) as (tar, unzipped):
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # which would grow with the archive
            if member.isdir():
                continue
            if not member.isfile() or member.issparse():
                done.skipped.append((LINK, member.name))
                continue
            file = tar.extractfile(member)
            assert file is not None
            yield member.name, file
        while unzipped.read():  # the checksum of gzip comes last
            pass


def _read_zip(archive: Path, total: int, done: Unpacked) -> Iterator[tuple[str, IO[bytes]]]:
    with _damage(), open_regular(archive, "it") as raw:
        check_directory(raw, MAX_DIRECTORY_BYTES, MAX_MEMBERS)
        with zipfile.ZipFile(raw) as opened:
            members = [info for info in opened.infolist() if not info.is_dir()]
            _check_claims(members, total)
            for info in members:
                kind = (info.external_attr >> 16) & 0o170000
                if kind == 0o040000:
                    continue
                if kind not in (0, 0o100000):
                    done.skipped.append((LINK, info.filename))
                    continue
                with opened.open(info) as file:
                    yield info.filename, file


def _check_claims(members: list[zipfile.ZipInfo], most: int) -> None:
    """Refuse a zip file before anything is unpacked.

    `zipfile` gives no more bytes of a member than its directory claims.
    """
    if any(info.flag_bits & 1 for info in members):
        raise DataError("it is protected with a password; unpack it, and name the folder")
    kinds = {info.compress_type for info in members} - set(_PACKED)
    if kinds:
        raise DataError(
            f"it is packed in a way that is not read here (method {min(kinds)}); unpack it, and "
            "name the folder"
        )
    total = sum(info.file_size for info in members)
    if total > most:
        raise DataError(
            f"it unpacks to {total:,} bytes; expected at most {most:,}, by its size and the room "
            "on the disk of the cache"
        )


@contextmanager
def _damage() -> Iterator[None]:
    """Say of damaged bytes that the archive is damaged."""
    try:
        yield
    except OSError:
        raise  # of the disk
    except (*DAMAGES, NotImplementedError, tarfile.TarError) as error:
        raise DataError(
            f"the archive cannot be read ({error!s:.300}); if it is damaged or cut short, get it "
            "again"
        ) from error
