"""Named members of a `.tar.gz`, read into memory; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from smallvision.errors import DataError

MAX_MEMBER_BYTES = 200_000_000  # the largest official one, CIFAR-100 train, has 155 million
MAX_TOTAL_BYTES = 400_000_000  # official archives unpack to about 190 million
_CHUNK = 1 << 20


class _CappedGzip(gzip.GzipFile):
    """Stops unpacking at `MAX_TOTAL_BYTES`, because a small file can hold terabytes of zeros."""

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        if self.tell() > MAX_TOTAL_BYTES:
            raise DataError(
                f"unpacks to more than {MAX_TOTAL_BYTES:,} bytes, so it is no CIFAR archive"
            )
        return content


def stream_members(
    archive: Path, folder: str, names: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield `(name, content)` of the members `folder/name`, in the archive's order.

    The archive is read to its last byte, so that its checksum is verified.

    Raises:
        DataError: the archive is damaged or cut short, or a wanted member is missing, there
            twice, a link or too large.
    """
    missing = set(names)
    with _open(archive) as (tar, unzipped):
        for member in tar:
            parent, _, name = member.name.removeprefix("./").rpartition("/")
            if parent == folder and name in names:
                if name not in missing:
                    raise DataError(f"it holds {name} twice; get the original archive")
                missing.remove(name)
                yield name, _read_member(tar, member)
        while unzipped.read(_CHUNK):
            pass
    if missing:
        raise DataError(f"it lacks {folder}/{min(missing)}; get the complete archive")


def find_folder(archive: Path, known: Collection[str]) -> str | None:
    """Find the first of the known top folders in an archive, or None.

    Raises:
        DataError: not a readable `.tar.gz`.
    """
    with _open(archive) as (tar, _):
        for member in tar:
            top = member.name.removeprefix("./").partition("/")[0]
            if top in known:
                return top
    return None


@contextmanager
def _open(archive: Path) -> Iterator[tuple[tarfile.TarFile, gzip.GzipFile]]:
    try:
        if archive.stat().st_size == 0:
            raise DataError("the file is empty (0 bytes); download it again")
        with _CappedGzip(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as tar:
            yield tar, unzipped
    except (OSError, EOFError, ValueError, zlib.error, tarfile.TarError) as error:
        raise DataError(
            f"the archive cannot be read ({error}); if it is damaged or cut short, get it again"
        ) from error


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if not member.isfile() or member.issparse():
        raise DataError(f"{member.name} is not a plain file; get the original archive")
    if member.size > MAX_MEMBER_BYTES:
        raise DataError(
            f"{member.name} has {member.size:,} bytes; expected at most {MAX_MEMBER_BYTES:,}"
        )
    stream = tar.extractfile(member)
    content = stream.read() if stream else b""
    if len(content) != member.size:
        raise DataError(f"{member.name} is cut short; download the archive again")
    return content
