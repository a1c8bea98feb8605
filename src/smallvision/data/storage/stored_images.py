"""Images in a file, of which those that are asked for are read.

The file is read by position and not mapped: what was read is given back with the array that holds
it, and the pages that the system keeps of the file are its own to give away.
"""

from __future__ import annotations

import io
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from smallvision.data.storage.room import cache_folder, count_chunk, fits_memory
from smallvision.errors import DataError, RecordError
from smallvision.format import format_size
from smallvision.records.files import make_folder, open_new
from smallvision.shapes import Images, Indices

START = 128  # bytes of the header of a `.npy` of images, whatever its shape
THROUGH = 16_384  # bytes between two images up to which it is quicker to read on than to begin anew
UNNAMED = getattr(os, "O_TMPFILE", 0)  # Linux: a file that gets its name once it is whole
BY_PLACE = hasattr(os, "preadv")  # Windows has no reading by position


class OpenFile:
    """An open file, which is closed with the last images that are read from it.

    Args:
        descriptor: of the file.
        own: whether it was made for images that are to be written.
    """

    def __init__(self, descriptor: int, *, own: bool) -> None:
        self.descriptor, self.own = descriptor, own

    def __del__(self) -> None:
        os.close(self.descriptor)

    def __reduce__(self) -> str:
        raise TypeError("stored images stay in their process; load them again in another")

    def read_into(self, content: memoryview, at: int) -> None:
        """Fill memory with the bytes from a place on.

        Raises:
            DataError: they cannot be read, or there are fewer.
        """
        try:
            while content:
                count = _read_at(self.descriptor, content, at)
                if not count:
                    raise DataError("stored images were cut short meanwhile; load them anew")
                content, at = content[count:], at + count
        except OSError as error:
            raise DataError(
                f"stored images cannot be read ({_tell_reason(error)}); load them anew"
            ) from error

    def write(self, content: memoryview, at: int) -> None:
        """Write bytes to a place.

        Raises:
            OSError: they cannot be written.
        """
        while content:
            if BY_PLACE:
                count = os.pwrite(self.descriptor, content, at)
            else:
                os.lseek(self.descriptor, at, os.SEEK_SET)
                count = os.write(self.descriptor, content)
            content, at = content[count:], at + count


class StoredImages:
    """The images of a `.npy` file, or some of them in any order, as an array that is read in parts.

    It can be indexed along its first axis with a number, a slice, or an array of numbers or bools,
    and gives arrays; `numpy.asarray` reads all.

    Args:
        file: an open file: a header of 128 bytes, then images one after another, uint8.
        shape: `(n, C, H, W)` of all that the file holds.
        indices: int64 `(N,)`, which of them these are; None for all.

    Attributes:
        sums: a number for each image, uint64 `(N,)`, once they were computed (`related.sum_up`).
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(
        self, file: OpenFile, shape: tuple[int, ...], indices: Indices | None = None
    ) -> None:
        self.file, self._held, self._indices = file, shape[0], indices
        self.shape = (shape[0] if indices is None else len(indices), *shape[1:])
        self.sums: npt.NDArray[np.uint64] | None = None

    @classmethod
    def create(cls, shape: tuple[int, ...]) -> StoredImages:
        """Make room for images in a file without a name: it goes with the process, if not before.

        Raises:
            DataError: there is no such room in the folder of the cache.
        """
        size = math.prod(shape)
        folder = cache_folder()
        try:
            make_folder(folder)
            free = shutil.disk_usage(folder).free
            if free < size:
                raise DataError(_tell_room(size, f"{format_size(free)} are free"))
            file = _open_unnamed(folder)
        except (OSError, RecordError) as error:
            raise DataError(_tell_room(size, _tell_reason(error))) from error
        return cls(file, shape)

    @classmethod
    def open(cls, path: Path) -> StoredImages:
        """Open a `.npy` file of images that was written by `save`.

        Raises:
            OSError, ValueError: it is unreadable, or something else.
        """
        file = OpenFile(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)), own=False)
        header = bytearray(START)
        file.read_into(memoryview(header), 0)
        stream = io.BytesIO(header)
        version = np.lib.format.read_magic(stream)
        shape, _, _ = np.lib.format.read_array_header_1_0(stream)
        size = os.fstat(file.descriptor).st_size
        if (version, bytes(header)) != ((1, 0), _make_header(shape)) or len(shape) != cls.ndim:
            raise ValueError("it does not hold images as they are kept here")
        if size != START + math.prod(shape):
            raise ValueError("its size is not that of its images")
        return cls(file, shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"StoredImages(shape={self.shape})"

    @property
    def nbytes(self) -> int:
        """Bytes of all images."""
        return math.prod(self.shape)

    @property
    def size_each(self) -> int:
        """Bytes of one image."""
        return math.prod(self.shape[1:])

    def __getitem__(self, key: int | slice | Sequence[int] | npt.NDArray[Any]) -> Images:
        if isinstance(key, int | np.integer):
            (image,) = self.read(self._resolve(np.array([range(len(self))[key]])))
            return np.asarray(image)
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1 and self._indices is None:
                rows = np.empty((max(0, stop - start), *self.shape[1:]), np.uint8)
                self._read_into(rows, start)
                return rows
            return self.read(self._resolve(np.arange(start, stop, step)))
        return self.read(self._resolve(self._find(key)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self[:] if dtype is None else self[:].astype(dtype)

    def __iter__(self) -> Iterator[Images]:
        for _, chunk in iterate_chunks(self):
            yield from chunk

    def take(self, indices: Indices) -> StoredImages:
        """Some of these images, none of which is read."""
        places = self._find(indices)
        taken = StoredImages(self.file, (self._held, *self.shape[1:]), self._resolve(places))
        if self.sums is not None:
            taken.sums = self.sums[places]
        return taken

    def shares_file(self, other: StoredImages) -> bool:
        """Whether both lie in one file."""
        return self.file is other.file

    def join(self, others: Sequence[StoredImages]) -> StoredImages:
        """These images, then others of the same file."""
        some = [one._resolve(np.arange(len(one))) for one in (self, *others)]
        return StoredImages(self.file, (self._held, *self.shape[1:]), np.concatenate(some))

    def prefetch(self, indices: Indices) -> None:
        """Ask the system to bring images near; it does so meanwhile, where it can be asked."""
        if not hasattr(os, "posix_fadvise"):
            return
        places = np.sort(self._resolve(indices))
        for first, last in self._find_spans(places):
            begin, end = int(places[first]), int(places[last - 1]) + 1
            os.posix_fadvise(
                self.file.descriptor,
                START + begin * self.size_each,
                (end - begin) * self.size_each,
                os.POSIX_FADV_WILLNEED,
            )

    def read(self, places: Indices) -> Images:
        """The images at places of the file, in that order."""
        order = np.argsort(places, kind="stable")
        ordered = places[order]
        rows = np.empty((len(places), *self.shape[1:]), np.uint8)
        for first, last in self._find_spans(ordered):
            begin = int(ordered[first])
            if last - first == 1:
                self._read_into(rows[order[first]], begin)
                continue
            block = np.empty((int(ordered[last - 1]) + 1 - begin, *self.shape[1:]), np.uint8)
            self._read_into(block, begin)
            rows[order[first:last]] = block[ordered[first:last] - begin]
        return rows

    def __setitem__(self, key: int | slice, values: npt.ArrayLike) -> None:
        """Write images, of a file that `create` made.

        Raises:
            DataError: there is no room.
        """
        start, stop, _ = (
            slice(key, key + 1) if isinstance(key, int | np.integer) else key
        ).indices(len(self))
        rows = np.empty((stop - start, *self.shape[1:]), np.uint8)
        rows[:] = values
        content = rows.data.cast("B") if rows.size else memoryview(b"")
        try:
            self.file.write(content, START + start * self.size_each)
        except OSError as error:
            raise DataError(_tell_room(self.nbytes, _tell_reason(error))) from error

    def cut(self, count: int) -> StoredImages:
        """The first images of a file that `create` made, which is cut to these."""
        os.truncate(self.file.descriptor, START + count * self.size_each)
        return StoredImages(self.file, (count, *self.shape[1:]))

    def save(self, path: Path) -> None:
        """Keep the images in a `.npy` file, whole or not at all; it is synced to the disk.

        A file without a name gets this one; others are copied.

        Raises:
            OSError, RecordError: it cannot be written.
        """
        header = _make_header(self.shape)
        if UNNAMED and self._indices is None and self.file.own:
            with suppress(OSError):  # no name can be given on this file system
                self.file.write(memoryview(header), 0)
                os.fsync(self.file.descriptor)
                _give_name(self.file.descriptor, path)
                return
        with open_new(path, START + self.nbytes) as file:
            file.write(header)
            for _, chunk in iterate_chunks(self):
                file.write(chunk.data.cast("B"))

    def _find(self, key: Any) -> Indices:
        """What an array of numbers or bools selects, as numbers from 0.

        Raises:
            IndexError: it selects what is not there.
        """
        numbers = np.asarray(key)
        if numbers.dtype == bool:
            if numbers.shape != (len(self),):
                raise IndexError(f"a mask of shape {numbers.shape} for {len(self)} images")
            return np.flatnonzero(numbers)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise IndexError("stored images are indexed with numbers, slices and lists of numbers")
        numbers = numbers.astype(np.int64)
        if numbers.size and not -len(self) <= numbers.min() <= numbers.max() < len(self):
            raise IndexError(f"a number beyond {len(self)} images")
        return np.where(numbers < 0, numbers + len(self), numbers)

    def _resolve(self, indices: Indices) -> Indices:
        """Places in the file."""
        return indices if self._indices is None else self._indices[indices]

    def _find_spans(self, places: Indices) -> Iterator[tuple[int, int]]:
        """Yield the stretches of sorted places that are read at once."""
        gap = 1 + THROUGH // self.size_each
        ends = np.flatnonzero(np.diff(places) > gap) + 1
        most = count_chunk(self.size_each * gap, len(places))
        for first, last in zip([0, *ends.tolist()], [*ends.tolist(), len(places)], strict=True):
            for begin in range(first, last, most):
                yield begin, min(begin + most, last)

    def _read_into(self, rows: Images, place: int) -> None:
        """Fill an array with the images from a place on."""
        if rows.size:
            self.file.read_into(rows.data.cast("B"), START + place * self.size_each)


ImageRows: TypeAlias = Images | StoredImages  # uint8 `(N, C, H, W)`, in memory or in a file


def make_images(shape: tuple[int, ...]) -> ImageRows:
    """Room for images that are written from their first to their last, in memory if they fit.

    Raises:
        DataError: they do not fit, and there is no room on the disk.
    """
    if fits_memory(math.prod(shape)):
        return np.empty(shape, np.uint8)
    return StoredImages.create(shape)


def take_images(images: ImageRows, indices: Indices) -> ImageRows:
    """Some images: a copy of those in memory, and of stored ones a list of which they are."""
    return images.take(indices) if isinstance(images, StoredImages) else images[indices]


def slice_images(images: ImageRows, start: int, stop: int) -> ImageRows:
    """A stretch of images, of which none is copied."""
    if isinstance(images, StoredImages):
        return images.take(np.arange(start, min(stop, len(images))))
    return images[start:stop]


def keep_first(images: ImageRows, count: int) -> ImageRows:
    """The first of the images that `make_images` made room for."""
    if isinstance(images, StoredImages):
        return images.cut(count)
    return images[:count]


def iterate_chunks(images: ImageRows, most: int = 4096) -> Iterator[tuple[int, Images]]:
    """Yield stretches of images that take little memory, each with the number of its first."""
    count = count_chunk(math.prod(images.shape[1:]), most)
    for start in range(0, len(images), count):
        yield start, images[start : start + count]


def _tell_room(size: int, reason: str) -> str:
    return (
        f"the images take {format_size(size)} and are to lie in {cache_folder()}, where {reason}: "
        "make room there, name another folder with SMALLVISION_CACHE, or allow more memory with "
        "SMALLVISION_WORKING_SET"
    )


def _tell_reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _open_unnamed(folder: Path) -> OpenFile:
    if UNNAMED:
        with suppress(OSError):  # not every file system has such files
            return OpenFile(os.open(folder, UNNAMED | os.O_RDWR, 0o666), own=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return OpenFile(os.dup(file.fileno()), own=True)


def _give_name(descriptor: int, path: Path) -> None:
    """Name a file that has none, in the place of another; a kill leaves one of both or neither."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        for _ in range(3):  # another process may be about the same
            with suppress(FileNotFoundError):
                os.unlink(path.name, dir_fd=folder)
            with suppress(FileExistsError):
                os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder)
                os.fsync(folder)
                return
    finally:
        os.close(folder)
    raise FileExistsError(f"{path} is written again and again")


def _make_header(shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    if header.tell() != START:
        raise ValueError(f"the header of {shape} has {header.tell()} bytes")
    return header.getvalue()


def _read_at(descriptor: int, content: memoryview, at: int) -> int:
    if BY_PLACE:
        return os.preadv(descriptor, [content], at)
    os.lseek(descriptor, at, os.SEEK_SET)
    some = os.read(descriptor, len(content))
    content[: len(some)] = some
    return len(some)
