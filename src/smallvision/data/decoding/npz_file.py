"""Arrays in an `.npz` or in `.npy` files, whose claims are checked before memory is set aside.

An `.npz` is a zip file of `.npy` files. Python objects in one are pickles and are never read.
"""

from __future__ import annotations

import math
import os
import struct
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from smallvision.data.decoding.formats.zip_directory import check_directory
from smallvision.data.decoding.regular import open_regular
from smallvision.errors import DataError
from smallvision.records.files import BOMB_BYTES, BOMB_RATIO, DAMAGES

MAX_DIRECTORY_BYTES = 1_000_000  # of a zip file; each member takes 46 and its name
MAX_HEADER_BYTES = 10_000  # of an array
_STRETCH = 1 << 20  # bytes that are unpacked at once
_SUFFIX = ".npy"


@dataclass(frozen=True)
class Claim:
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    nbytes: int
    is_fortran: bool


@dataclass(frozen=True)
class ArrayRows:
    """An array that is read in stretches along its first axis, as often as asked for.

    Attributes:
        shape, dtype: of the array.
        pieces: how many rows lie in each of its files, and what opens one at its first row.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    pieces: tuple[tuple[int, Callable[[], AbstractContextManager[IO[bytes]]]], ...]

    def iterate(self, count: int) -> Iterator[np.ndarray[Any, Any]]:
        """Yield so many rows at a time.

        Raises:
            EOFError, ...: as `DAMAGES` has it.
        """
        each = math.prod(self.shape[1:]) * self.dtype.itemsize
        for length, open_piece in self.pieces:
            with open_piece() as file:
                for start in range(0, length, count):
                    rows = min(count, length - start)
                    content = _read_whole(file, rows * each)
                    yield np.frombuffer(content, self.dtype).reshape(rows, *self.shape[1:])
                # The checksum of a zip file is compared at its end.
                if file.read(1):
                    raise ValueError("it holds more than it claims")


def join_rows(
    arrays: Sequence[ArrayRows | np.ndarray[Any, Any]],
) -> ArrayRows | np.ndarray[Any, Any]:
    """Arrays of the same type and size of rows, one after the other."""
    files = [each for each in arrays if isinstance(each, ArrayRows)]
    if len(files) < len(arrays):  # some had to be read whole
        stretches = [
            stretch
            for each in arrays
            for stretch in (each.iterate(each.shape[0]) if isinstance(each, ArrayRows) else [each])
        ]
        return np.concatenate(stretches)
    shape = (sum(each.shape[0] for each in files), *files[0].shape[1:])
    return ArrayRows(shape, files[0].dtype, tuple(one for each in files for one in each.pieces))


class NamedArrays(ABC):
    """Arrays that lie in files, or in the members of one, by name.

    Attributes:
        names: of the arrays.
    """

    names: list[str]

    @abstractmethod
    def claim(self, name: str) -> Claim:
        """The header of an array, which agrees with the bytes that are there for it.

        Raises:
            ValueError: it does not, or it claims to grow as no measured data do.
        """

    @abstractmethod
    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Open an array at its header."""

    def rows(self, name: str) -> ArrayRows | np.ndarray[Any, Any]:
        """An array whose claim was checked, to be read in stretches.

        One that lies by columns (in Fortran's order), as none of images does, is read whole.
        """
        claim = self.claim(name)
        if claim.is_fortran or len(claim.shape) < 2:
            return self.read(name)
        return ArrayRows(
            claim.shape, claim.dtype, ((claim.shape[0], partial(self._open_rows, name)),)
        )

    @contextmanager
    def _open_rows(self, name: str) -> Iterator[IO[bytes]]:
        with self._open(name) as file:
            _read_header(file, name)
            yield file

    def read(self, name: str) -> np.ndarray[Any, Any]:
        """An array whose claim was checked."""
        self.claim(name)
        with self._open(name) as file:
            array: np.ndarray[Any, Any] = npy.read_array(
                file, allow_pickle=False, max_header_size=MAX_HEADER_BYTES
            )
            return array


class NpzFile(NamedArrays):
    """The arrays of an open file."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = [
            info.filename.removesuffix(_SUFFIX)
            for info in archive.infolist()
            if info.filename.endswith(_SUFFIX)
        ]

    def claim(self, name: str) -> Claim:
        """See `NamedArrays`; the zip file claims the bytes."""
        info = self._archive.getinfo(name + _SUFFIX)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name} is packed in a way that numpy does not write")
        packed = min(info.compress_size, _size(self._archive))
        if info.file_size > max(BOMB_BYTES, BOMB_RATIO * packed):
            raise ValueError(f"{name} unpacks to {info.file_size:,} bytes")
        with self._archive.open(info) as member:
            claim, start = _read_header(member, name)
        if claim.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, not plain arrays")
        if start + claim.nbytes != info.file_size:
            raise ValueError(
                f"{name} claims {claim.nbytes:,} bytes and holds {info.file_size - start:,}"
            )
        return claim

    def _open(self, name: str) -> IO[bytes]:
        return self._archive.open(name + _SUFFIX)


class NpyFiles(NamedArrays):
    """Arrays that lie in `.npy` files of their own, by the names of the files."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self.names = [*paths]

    def claim(self, name: str) -> Claim:
        """See `NamedArrays`; the file has the bytes."""
        path = self._paths[name]
        with open_regular(path, path.name) as file:
            claim, start = _read_header(file, name)
            held = os.fstat(file.fileno()).st_size - start
        if claim.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects, not plain arrays")
        if claim.nbytes != held:
            raise ValueError(f"{name} claims {claim.nbytes:,} bytes and holds {held:,}")
        return claim

    def _open(self, name: str) -> AbstractContextManager[IO[bytes]]:
        return open_regular(self._paths[name], name)


@contextmanager
def open_npy(paths: Mapping[str, Path]) -> Iterator[NpyFiles]:
    """Open arrays that lie in files of their own.

    Args:
        paths: a file for each name.

    Raises:
        DataError: one is damaged, or claims more than its bytes, while it is read.
    """
    with _damage():
        yield NpyFiles(paths)


@contextmanager
def open_npz(place: Path) -> Iterator[NpzFile]:
    """Open an npz, of which nothing but its directory is read.

    Raises:
        DataError: it is damaged, or claims far more than its bytes, here or while it is read.
    """
    with _damage(), open_regular(place, "it") as file:
        check_directory(file, MAX_DIRECTORY_BYTES)
        with zipfile.ZipFile(file) as archive:
            yield NpzFile(archive)


@contextmanager
def _damage() -> Iterator[None]:
    """Say of damaged bytes that they are no plain arrays."""
    try:
        yield
    except DAMAGES as error:
        raise DataError(
            f"it cannot be read as plain arrays ({error!s:.300}); if it is damaged, make it again"
        ) from error


def _size(archive: zipfile.ZipFile) -> int:
    file = archive.fp
    assert file is not None
    at = file.tell()
    size = file.seek(0, 2)
    file.seek(at)
    return size


def _read_header(member: Any, name: str) -> tuple[Claim, int]:
    """The header of an array, and how many bytes it takes."""
    start = member.read(12)
    if start[:6] != npy.MAGIC_PREFIX or len(start) < 12:
        raise ValueError(f"{name} is no array, but a pickle or something else")
    long = start[6] >= 2
    (length,) = struct.unpack_from("<I" if long else "<H", start, 8)
    # numpy reads all of it before it looks at its length.
    if length > MAX_HEADER_BYTES:
        raise ValueError(
            f"the header of {name} has {length:,} bytes; expected at most {MAX_HEADER_BYTES:,}"
        )
    member.seek(0)
    version = npy.read_magic(member)
    read = npy.read_array_header_2_0 if version[0] >= 2 else npy.read_array_header_1_0
    shape, is_fortran, dtype = read(member, max_header_size=MAX_HEADER_BYTES)
    if any(side < 0 for side in shape):
        raise ValueError(f"{name} has the shape {shape}")
    size = math.prod(shape) * dtype.itemsize
    return Claim(shape, dtype, size, is_fortran and len(shape) > 1), member.tell()


def _read_whole(file: IO[bytes], size: int) -> bytearray:
    """So many bytes.

    Raises:
        EOFError: there are fewer.
    """
    content = bytearray(size)
    view, at = memoryview(content), 0
    while at < size:
        some = file.read(min(_STRETCH, size - at))
        if not some:
            raise EOFError("it is cut short")
        view[at : at + len(some)] = some
        at += len(some)
    return content
