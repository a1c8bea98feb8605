"""Members of a `.tar` or `.tar.gz`, read in the order of the archive and within limits."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from smallvision.data.decoding.regular import open_regular
from smallvision.errors import DataError

MAX_MEMBER_BYTES = 160_000_000  # the largest official one, CIFAR-100 train, has 155 million
MAX_TOTAL_BYTES = 400_000_000  # official archives unpack to about 190 million
MAX_ARCHIVE_BYTES = 400_000_000  # official ones have 170 million
MAX_MEMBERS = 200  # official ones have 9
MAX_STREAMS = 20_000  # of gzip in one file: some packers begin anew every 64 kB
MAX_NOTE_BYTES = 4096  # of a long name or of extended headers
MAX_HEADER_BYTES = 32_768  # of one member, with what belongs to it and what is read ahead
_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_NOTES = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


@dataclass(frozen=True)
class TarLimits:
    """What an archive may hold.

    Attributes:
        archive: bytes of the file.
        total: bytes that it unpacks to.
        members: how many files, folders and headers.
        unlike: what an archive beyond these limits is not, for an error.
    """

    archive: int
    total: int
    members: int
    unlike: str


def limit_cifar() -> TarLimits:
    """The limits of an official archive of CIFAR."""
    return TarLimits(MAX_ARCHIVE_BYTES, MAX_TOTAL_BYTES, MAX_MEMBERS, "CIFAR archive")


class BeyondLimitsError(DataError):
    """An archive holds more members or bytes than its limits allow."""


class _Unzipped(io.RawIOBase):
    """What a gzip file unpacks to, up to a limit, since a small one can hold terabytes of zeros.

    A file that is not packed comes out as it is.

    Attributes:
        limit: no more than so many bytes come out; lowered while a header is read.
        last: the bytes that came out last, up to 512.
    """

    def __init__(self, file: BinaryIO, limits: TarLimits) -> None:
        self._file, self._streams, self._given = file, 0, 0
        self._unzip: Any = None
        self._input = b""
        self.last = b""
        self._plain = file.read(2) != _GZIP
        file.seek(0)
        self.limits = limits
        self.limit = limits.total

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._given

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, or nothing at the end.

        Raises:
            DataError: there are more bytes than the limit.
            EOFError: the file is cut short.
            zlib.error: it is damaged.
        """
        content = b""
        size = _CHUNK if size < 0 else size
        if self._plain:
            content = self._file.read(size)
        while not (self._plain or content) and size:
            if self._unzip is None and not self._begin():
                break
            if not self._input:
                self._input = self._file.read(_CHUNK)
                if not self._input:
                    raise EOFError("it ends before its checksum")
            content = self._unzip.decompress(self._input, size)
            self._input = self._unzip.unconsumed_tail
            if self._unzip.eof:
                self._input, self._unzip = self._unzip.unused_data, None
        self._given += len(content)
        self.last = (self.last + content)[-tarfile.BLOCKSIZE :]
        if self._given > self.limit:
            if self._given > self.limits.total:
                raise BeyondLimitsError(
                    f"unpacks to more than {self.limits.total:,} bytes, so it is no "
                    f"{self.limits.unlike}"
                )
            raise DataError(f"has a header of more than {MAX_HEADER_BYTES:,} bytes")
        return content

    def _begin(self) -> bool:
        """Start the next gzip stream, if there is one; zeros may follow the last."""
        self._input = (
            (self._input or self._file.read(_CHUNK))
            if self._streams == 0
            else (self._input.lstrip(b"\0") or self._file.read(_CHUNK).lstrip(b"\0"))
        )
        if not self._input:
            return False
        self._streams += 1
        if self._streams > MAX_STREAMS:
            raise DataError(f"it consists of more than {MAX_STREAMS:,} gzip streams")
        self._unzip = zlib.decompressobj(wbits=31)
        return True


def _limit_headers(unzipped: _Unzipped) -> type[tarfile.TarInfo]:
    """A class of members that refuses headers which would fill memory or hours."""
    seen, limits = 0, unzipped.limits

    class Member(tarfile.TarInfo):
        @classmethod
        def fromtarfile(cls, tar: tarfile.TarFile) -> Member:
            before = unzipped.limit
            # A header that belongs to another has what that one leaves it.
            unzipped.limit = min(before, unzipped.tell() + MAX_HEADER_BYTES)
            try:
                member = super().fromtarfile(tar)
            finally:
                unzipped.limit = before
            # tarfile would count its way through the bytes that are not there.
            if not 0 <= member.size <= limits.total:
                raise BeyondLimitsError(
                    f"{member.name:.100} claims {member.size:,} bytes; expected at most "
                    f"{limits.total:,} in all"
                )
            return member

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Member:
            nonlocal seen
            seen += 1
            if seen > limits.members:
                raise BeyondLimitsError(
                    f"it holds more than {limits.members:,} members, so it is no {limits.unlike}"
                )
            member = super().frombuf(buf, encoding, errors)
            if member.type in _NOTES and not 0 <= member.size <= MAX_NOTE_BYTES:
                raise DataError(
                    f"it holds an extended header of {member.size:,} bytes; expected at most "
                    f"{MAX_NOTE_BYTES:,}"
                )
            return member

    return Member


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
    with open_tar(archive, limit_cifar()) as (tar, unzipped):
        for member in tar:
            parent, _, name = member.name.removeprefix("./").rpartition("/")
            if parent == folder and name in names:
                if name not in missing:
                    raise DataError(f"it holds {name} twice; get the original archive")
                missing.remove(name)
                yield name, _read_member(tar, member)
        while unzipped.read():
            pass
    if missing:
        raise DataError(f"it lacks {folder}/{min(missing)}; get the complete archive")


def find_folder(archive: Path, known: Collection[str]) -> str | None:
    """Find the first of the known top folders in an archive of CIFAR's size, or None.

    Raises:
        DataError: not a readable `.tar.gz`.
    """
    limits = limit_cifar()
    with suppress(OSError):
        if archive.stat().st_size > limits.archive:
            return None
    try:
        with open_tar(archive, limits) as (tar, _):
            for member in tar:
                top = member.name.removeprefix("./").partition("/")[0]
                if top in known:
                    return top
    except BeyondLimitsError:
        pass
    return None


@contextmanager
def open_tar(archive: Path, limits: TarLimits) -> Iterator[tuple[tarfile.TarFile, _Unzipped]]:
    """Open a `.tar` or `.tar.gz`, whose members are read in order.

    Yields: the archive, and the stream below it, which a reader that wants the checksum of the
        whole file reads to its end.

    Raises:
        DataError: it is damaged, cut short or beyond the limits.
    """
    try:
        with open_regular(archive, "it", most=limits.archive) as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise DataError("the file is empty (0 bytes); download it again")
            unzipped = _Unzipped(file, limits)
            info = _limit_headers(unzipped)
            with tarfile.open(fileobj=unzipped, mode="r|", tarinfo=info) as tar:
                yield tar, unzipped
    except (OSError, EOFError, ValueError, RecursionError, zlib.error, tarfile.TarError) as error:
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
