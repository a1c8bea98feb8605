"""A cache of decoded images, so that a data set is decoded once and not read whole afterwards.

An entry is used only while the source's files have the names, sizes and times that it was made
from, and while its own arrays have the right fingerprint or, if they are large, the right size.
Any other entry is made anew without a message. Where the cache cannot be written, loading only
takes longer.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from smallvision.data.decoding.resize import OriginalSizes, Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import sum_up_origins
from smallvision.data.sources.source import DecodedPart, Layout, LeftOut, Part, record_left_out
from smallvision.data.storage.room import cache_folder, fits_memory
from smallvision.data.storage.stored_images import ImageRows, StoredImages
from smallvision.errors import UserError
from smallvision.records import store
from smallvision.records.files import DAMAGES, make_folder, open_new
from smallvision.records.schema import CachedPart, OriginalSizesRecord, PreparationRecord
from smallvision.shapes import Origins, Shape

DECODER = 3  # raise it when the same files would decode to other pixels
# Larger arrays are checked by their size alone: hashing 0.5 GB takes about 0.3 seconds.
HASHED_BYTES = 512_000_000

Array: TypeAlias = Literal["images", "labels", "origins", "groups", "files"]


@dataclass(frozen=True)
class PartSummary:
    """What may be known of a part without opening it."""

    size: int
    shape: Shape
    class_names: tuple[str, ...]
    fingerprint: str
    notes: tuple[str, ...]
    origin: str
    left_out: tuple[LeftOut, ...] = ()
    groups: tuple[str, ...] | None = None

    @classmethod
    def of(cls, decoded: DecodedPart) -> PartSummary:
        """The summary of a part that is decoded."""
        images = decoded.images
        return cls(
            len(images),
            images.shape,
            images.class_names,
            images.fingerprint,
            decoded.notes,
            _find_origin(decoded),
            decoded.left_out,
            decoded.groups,
        )


def read_cached(layout: Layout, part: Part, shape: Shape | None = None) -> DecodedPart:
    """Read a part from the cache, or decode its source and write the cache.

    Raises:
        DataError: the source is damaged.
    """
    if not layout.files:
        return layout.read(part, shape)
    entry = CacheEntry.of(layout, part)
    found = entry.read()
    if found is None:
        found = layout.read(part, shape)
        with suppress(OSError, UserError):  # the disk is full or read-only
            entry.write(found)
    return found


def summarize(layout: Layout, part: Part, shape: Shape | None = None) -> PartSummary:
    """Size, shape and fingerprint of a part, without its images where the cache has them.

    Raises:
        DataError: the source is damaged.
    """
    entry = CacheEntry.of(layout, part) if layout.files else None
    record = entry.read_record() if entry else None
    if entry is not None and record is not None:
        try:
            groups = entry.read_words(record, "groups")
        except (*DAMAGES, UserError):
            return PartSummary.of(read_cached(layout, part, shape))
        return PartSummary(
            record.n,
            record.shape,
            record.class_names,
            record.fingerprint,
            record.notes,
            record.origin,
            _list_left_out(record),
            groups,
        )
    return PartSummary.of(read_cached(layout, part, shape))


@dataclass(frozen=True)
class CacheEntry:
    """The place of one part of a source in the cache.

    Attributes:
        folder: one for each source and its options, so that a changed source replaces its entry.
        part: which part it is.
        stamp: hash of the names, sizes and times of the source's files.
    """

    folder: Path
    part: Part
    stamp: str

    @classmethod
    def of(cls, layout: Layout, part: Part) -> CacheEntry:
        """The entry for a part of a source in its present state."""
        place = layout.place.resolve() if layout.place else Path()
        identity = f"{place}\n{layout.source}\n{layout.options}"
        digest = hashlib.sha256(os.fsencode(identity)).hexdigest()
        folder = cache_folder() / "decoded" / f"{place.name}-{digest[:16]}"
        return cls(folder, part, _stamp(layout.files))

    @property
    def manifest(self) -> Path:
        """The record, which is written last, so that an entry which has it is complete."""
        return self.folder / f"{self.part}.manifest.json"

    def array(self, array: Array) -> Path:
        """The file of the images or of the labels."""
        return self.folder / f"{self.part}-{array}.npy"

    def read_record(self) -> CachedPart | None:
        """The record of an entry that is up to date and whose arrays have the right sizes."""
        try:
            record = store.read(self.manifest, CachedPart)
            sizes = {array: self.array(array).stat().st_size for array in record.bytes}
        except (OSError, UserError):
            return None
        whole = {"images", "labels"} <= set(sizes) and record.bytes == sizes
        return record if whole and record.stamp == self.stamp else None

    def read(self) -> DecodedPart | None:
        """Open the arrays; None where the entry is absent, outdated or damaged."""
        record = self.read_record()
        if record is None:
            return None
        try:
            images = ImageSet(
                _open_images(self.array("images")),
                _map_array(self.array("labels")),
                record.class_names,
                self.read_words(record, "files"),
            )
            origins = self._read_origins(record)
            groups = self.read_words(record, "groups")
        except (*DAMAGES, UserError):
            return None
        if images.images.nbytes > HASHED_BYTES:
            vars(images)["fingerprint"] = record.fingerprint
        intact = images.fingerprint == record.fingerprint and len(images) == record.n
        if not intact:
            return None
        made, sizes = record.preparation, record.sizes
        return DecodedPart(
            images,
            record.notes,
            _list_left_out(record),
            groups=groups,
            origins=origins,
            preparation=Preparation(record.shape, made.fit, made.bits) if made else None,
            sizes=OriginalSizes(**dict(sizes)) if sizes else None,
        )

    def _read_origins(self, record: CachedPart) -> Origins | None:
        if "origins" not in record.bytes:
            return None
        origins = _map_array(self.array("origins"))
        if origins.shape != (record.n, 32) or sum_up_origins(origins) != record.origin:
            raise ValueError("the origins are not those of the record")
        return origins

    def read_words(self, record: CachedPart, array: Array) -> tuple[str, ...] | None:
        """One text for each image, or None where there are none.

        Raises:
            ValueError, OSError: they are damaged.
        """
        if array not in record.bytes:
            return None
        words = json.loads(_map_array(self.array(array)).tobytes())
        if not isinstance(words, list) or len(words) != record.n:
            raise ValueError(f"the {array} are not one for each image")
        return tuple(map(str, words))

    def write(self, decoded: DecodedPart) -> None:
        """Write both arrays, then the record."""
        make_folder(self.folder)
        images = decoded.images
        sizes: dict[Array, int] = {
            "images": _write_images(self.array("images"), images.images),
            "labels": _write_array(self.array("labels"), images.labels),
        }
        if decoded.origins is not None:
            sizes["origins"] = _write_array(self.array("origins"), decoded.origins)
        texts: dict[Array, tuple[str, ...] | None] = {
            "groups": decoded.groups,
            "files": images.files,
        }
        for array, some in texts.items():
            if some is not None:
                words = np.frombuffer(json.dumps(some).encode(), dtype=np.uint8)
                sizes[array] = _write_array(self.array(array), words)
        made = decoded.preparation
        record = CachedPart(
            stamp=self.stamp,
            n=len(images),
            shape=images.shape,
            class_names=images.class_names,
            fingerprint=images.fingerprint,
            notes=decoded.notes,
            left_out=record_left_out(decoded.left_out),
            origin=_find_origin(decoded),
            preparation=PreparationRecord(fit=made.fit, bits=made.bits) if made else None,
            sizes=record_sizes(decoded.sizes) if decoded.sizes else None,
            bytes=sizes,
        )
        store.write(self.manifest, record)


def _list_left_out(record: CachedPart) -> tuple[LeftOut, ...]:
    return tuple(LeftOut(one.reason, one.count, one.example) for one in record.left_out)


def record_sizes(sizes: OriginalSizes) -> OriginalSizesRecord:
    """Sizes of pictures, as records keep them."""
    return OriginalSizesRecord(**asdict(sizes))


def _find_origin(decoded: DecodedPart) -> str:
    if decoded.origins is None:
        return decoded.images.fingerprint
    return sum_up_origins(decoded.origins)


def _stamp(files: Iterable[str | Path]) -> str:
    digest = hashlib.sha256(f"decoder {DECODER}".encode())
    for path in sorted(map(str, files)):
        try:
            state = os.stat(path)  # noqa: PTH116 -- paths are slow in thousands
        except OSError:  # the reader reports a file that is gone
            continue
        digest.update(os.fsencode(f"{path}\n{state.st_size}\n{state.st_mtime_ns}\n"))
    return digest.hexdigest()


def _map_array(path: Path) -> np.ndarray[Any, Any]:
    """Map an array as a plain view: its users need not know that the pixels lie in a file."""
    mapped: np.ndarray[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped.view(np.ndarray)


def _open_images(path: Path) -> ImageRows:
    """Map images that fit in memory; others are read when they are asked for."""
    return _map_array(path) if fits_memory(path.stat().st_size) else StoredImages.open(path)


def _write_images(path: Path, images: ImageRows) -> int:
    if isinstance(images, StoredImages):
        images.save(path)
        return path.stat().st_size
    return _write_array(path, images)


def _write_array(path: Path, array: np.ndarray[Any, Any]) -> int:
    """Write an array whole or not at all, and return the size of its file in bytes.

    Unlike a record, an array is synced to disk only if it is too large to be hashed when it is
    read: the hash finds what a power cut leaves behind.
    """
    with open_new(path, array.nbytes, synced=array.nbytes > HASHED_BYTES) as file:
        np.save(file, array, allow_pickle=False)
    return path.stat().st_size
