"""Decoded images kept on disk, so that a data set is decoded once and memory-mapped after that.

The cache is a convenience, never an authority: an entry counts only while the source's names,
sizes and times are the ones it was made from and its own content has the fingerprint it was
written with, or, of a large one, the size. Anything else is rebuilt in silence, and a place that
cannot be written to only costs time.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.imageset import ImageSet
from smallvision.data.sources.source import Decoded, Layout, Part
from smallvision.errors import DataError, UserError
from smallvision.records.files import DAMAGES, make_folder, read_json, write_json
from smallvision.shapes import Shape

DECODER = 1  # raise it when the same files would decode to other pixels
# Above this an entry is checked by size alone: hashing 0.5 GB takes about 0.3 seconds.
HASHED_BYTES = 512_000_000


@dataclass(frozen=True)
class Summary:
    """What may be known of a part without opening it."""

    size: int
    shape: Shape
    class_names: tuple[str, ...]
    fingerprint: str
    notes: tuple[str, ...]


def expand(path: str | Path) -> Path:
    """A path with `~` replaced by the home folder.

    Raises:
        DataError: there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"{path} names a home folder that does not exist") from error


def cache_folder() -> Path:
    """SMALLVISION_CACHE, else XDG_CACHE_HOME/smallvision, else ~/.cache/smallvision."""
    if chosen := os.environ.get("SMALLVISION_CACHE"):
        return expand(chosen)
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expand(root) / "smallvision"


def read_cached(layout: Layout, part: Part, shape: Shape | None = None) -> Decoded:
    """Read a part from the cache, or from its source and into the cache.

    Raises:
        DataError: the source is damaged.
    """
    if not layout.files:
        return layout.read(part, shape)
    folder, stamp = _entry_folder(layout), _stamp(layout)
    found = _recall(folder, part, stamp)
    if found is None:
        found = layout.read(part, shape)
        with suppress(OSError, UserError):  # full, read-only: the next run decodes again
            _remember(folder, part, stamp, found)
    return found


def summarize(layout: Layout, part: Part, shape: Shape | None = None) -> Summary:
    """Size, shape and fingerprint of a part; from the cache's manifest when it has one.

    Raises:
        DataError: the source is damaged.
    """
    if layout.files:
        manifest = _read_manifest(_entry_folder(layout), part, _stamp(layout))
        if manifest is not None:
            return _summary(manifest)
    decoded = read_cached(layout, part, shape)
    images = decoded.images
    return Summary(len(images), images.shape, images.class_names, images.fingerprint, decoded.notes)


def _entry_folder(layout: Layout) -> Path:
    """One folder per source and options: a changed source overwrites its own old entry."""
    place = layout.place.resolve() if layout.place else Path()
    identity = f"{place}\n{layout.source}\n{layout.options}"
    digest = hashlib.sha256(os.fsencode(identity)).hexdigest()
    return cache_folder() / "decoded" / f"{place.name}-{digest[:16]}"


def _stamp(layout: Layout) -> str:
    """Hash the state of the source: name, size and time of each of its files."""
    digest = hashlib.sha256(f"decoder {DECODER}".encode())
    for path in sorted(layout.files):
        with suppress(OSError):  # a file that is gone is reported by the reader
            state = path.stat()
            digest.update(os.fsencode(f"{path}\n{state.st_size}\n{state.st_mtime_ns}\n"))
    return digest.hexdigest()


def _array_path(folder: Path, part: Part, kind: str) -> Path:
    return folder / f"{part}-{kind}.npy"


def _read_manifest(folder: Path, part: Part, stamp: str) -> dict[str, Any] | None:
    """Read the manifest of an entry that is up to date and whose arrays have the right sizes."""
    try:
        manifest = read_json(folder / f"{part}.manifest.json")
        sizes = {
            kind: _array_path(folder, part, kind).stat().st_size for kind in ("images", "labels")
        }
        _summary(manifest)
    except (OSError, UserError, KeyError, TypeError, ValueError):
        return None
    return manifest if (manifest.get("stamp"), manifest.get("bytes")) == (stamp, sizes) else None


def _summary(manifest: dict[str, Any]) -> Summary:
    C, H, W = manifest["shape"]
    return Summary(
        size=int(manifest["n"]),
        shape=(int(C), int(H), int(W)),
        class_names=tuple(manifest["class_names"]),
        fingerprint=str(manifest["fingerprint"]),
        notes=tuple(manifest["notes"]),
    )


def _recall(folder: Path, part: Part, stamp: str) -> Decoded | None:
    """Memory-map an entry, or give None when it is absent, stale or damaged."""
    manifest = _read_manifest(folder, part, stamp)
    if manifest is None:
        return None
    summary = _summary(manifest)
    try:
        images = ImageSet(
            _map_array(folder, part, "images"),
            _map_array(folder, part, "labels"),
            summary.class_names,
        )
    except (*DAMAGES, UserError):
        return None
    if images.images.nbytes > HASHED_BYTES:
        vars(images)["fingerprint"] = summary.fingerprint
    intact = images.fingerprint == summary.fingerprint and len(images) == summary.size
    return Decoded(images, summary.notes) if intact else None


def _map_array(folder: Path, part: Part, kind: str) -> np.ndarray[Any, Any]:
    """Map an array as a plain view: its users need not know that the pixels lie in a file."""
    path = _array_path(folder, part, kind)
    mapped: np.ndarray[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped.view(np.ndarray)


def _remember(folder: Path, part: Part, stamp: str, decoded: Decoded) -> None:
    """Write both arrays, then the manifest that makes them count."""
    make_folder(folder)
    images = decoded.images
    sizes = {
        "images": _write_array(_array_path(folder, part, "images"), images.images),
        "labels": _write_array(_array_path(folder, part, "labels"), images.labels),
    }
    manifest = {
        "schema": 1,
        "stamp": stamp,
        "n": len(images),
        "shape": list(images.shape),
        "class_names": list(images.class_names),
        "fingerprint": images.fingerprint,
        "notes": list(decoded.notes),
        "bytes": sizes,
    }
    write_json(folder / f"{part}.manifest.json", manifest)


def _write_array(path: Path, array: np.ndarray[Any, Any]) -> int:
    """Write one array whole or not at all; returns its size in bytes.

    Unlike a record it is synced to disk only if it is too large to be hashed when it is read,
    which finds what a power cut leaves behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
            if array.nbytes > HASHED_BYTES:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.stat().st_size
