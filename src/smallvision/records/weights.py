"""Folders of tensors under a manifest of SHA-256 sums.

safetensors cannot run code, but it loads a file with flipped bits without a word; the sums
close that gap. The manifest is written last, so a folder with a manifest is complete.
"""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import (
    MAX_WEIGHTS_BYTES,
    hash_bytes,
    hash_file,
    make_folder,
    read_bytes,
    write_bytes,
)
from smallvision.records.nofollow import is_file, remove_file
from smallvision.records.schema import Manifest, Record

MANIFEST = "manifest.json"


def save_tensors(
    folder: Path, tensors: dict[str, dict[str, Tensor]], records: dict[str, Record]
) -> None:
    """Write files of tensors and of plain records, and a manifest over all of them.

    Args:
        folder: made if missing.
        tensors: file stem -> name -> tensor; `model` becomes `model.safetensors`.
        records: file stem -> record; `model` becomes `model.json`.

    Raises:
        RecordError: the folder cannot be written.
    """
    make_folder(folder)
    try:
        remove_file(folder / MANIFEST)  # nothing half-new may look complete
    except OSError as error:
        raise RecordError(f"{folder / MANIFEST} cannot be replaced: {error.strerror}") from error
    files = {}
    for stem, named in tensors.items():
        path = folder / f"{stem}.safetensors"
        content = save({name: t.detach().contiguous() for name, t in named.items()})
        write_bytes(path, content)
        files[path.name] = hash_bytes(content)
    for stem, record in records.items():
        path = folder / f"{stem}.json"
        store.write(path, record)
        files[path.name] = hash_file(path)
    store.write(folder / MANIFEST, Manifest(files=files))


def copy_tensors(source: Path, folder: Path) -> None:
    """Copy a folder of tensors, byte by byte, the manifest last.

    Raises:
        RecordError: the source is damaged, or the folder cannot be written.
    """
    check_manifest(source)
    make_folder(folder)
    for name in [*read_manifest(source), MANIFEST]:
        write_bytes(folder / name, read_bytes(source / name, MAX_WEIGHTS_BYTES))


def read_manifest(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file of a folder, by file name.

    Raises:
        RecordError: the manifest is missing or damaged.
    """
    return store.read(folder / MANIFEST, Manifest).files


def check_manifest(folder: Path) -> None:
    """Compare every file of a folder with its sum in the manifest.

    Raises:
        RecordError: a file is missing or not what was written.
    """
    for name, expected in read_manifest(folder).items():
        path = folder / name
        if Path(name).name != name:  # a folder from a stranger has no business outside itself
            raise RecordError(f"{folder / MANIFEST} names a file of another folder: {name!r:.80}")
        if not is_file(path) or hash_file(path) != expected:
            raise RecordError(f"{path} is damaged or missing: its SHA-256 is not the manifest's")


def load_tensors(folder: Path, stem: str) -> dict[str, Tensor]:
    """Read one file of tensors of a checked folder.

    Raises:
        RecordError: the file is not valid.
    """
    path = folder / f"{stem}.safetensors"
    try:
        return load(read_bytes(path, MAX_WEIGHTS_BYTES))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
