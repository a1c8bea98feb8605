"""Folders of tensors under a manifest of SHA-256 sums.

safetensors cannot run code, but it loads a file with flipped bits without a word; the sums
close that gap. The manifest is written last, so a folder with a manifest is complete.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

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
    open_bytes,
    read_bytes,
    write_bytes,
)
from smallvision.records.model_folders import MANIFEST, read_manifest
from smallvision.records.nofollow import is_file, remove_file
from smallvision.records.schema import Manifest, Record

MOST_HEADER = 2**21  # bytes of a file's list of tensors, of which each takes about a hundred
# Of the types of tensors, what safetensors calls them and what torch does.
TYPES = {"F32": "torch.float32", "I64": "torch.int64"}


class TensorType(NamedTuple):
    """What a file says of a tensor before it is read."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape!s:.80}"


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
    remove_file(folder / MANIFEST)  # nothing half-new may look complete
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


def check_manifest(folder: Path) -> None:
    """Compare every file of a folder with its sum in the manifest.

    Raises:
        RecordError: a file is missing or not what was written.
    """
    for name, expected in read_manifest(folder).items():
        path = folder / name
        if not is_file(path) or hash_file(path) != expected:
            raise RecordError(f"{path} is damaged or missing: its SHA-256 is not the manifest's")


def read_header(folder: Path, stem: str) -> dict[str, TensorType]:
    """Read which tensors a file holds, and none of them.

    Raises:
        RecordError: the file is missing, its list of tensors is not valid or too long, or its size
            is another than the list claims.
    """
    path = folder / f"{stem}.safetensors"
    with open_bytes(path) as file:
        size = os.fstat(file.fileno()).st_size
        length = check_length(file.read(8), path)
        text = file.read(length)
    try:
        tensors = json.loads(text)
        tensors.pop("__metadata__", None)
        claimed = 8 + length + max((one["data_offsets"][1] for one in tensors.values()), default=0)
        header = {
            name: TensorType(TYPES.get(one["dtype"], str(one["dtype"])), tuple(one["shape"]))
            for name, one in tensors.items()
        }
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise RecordError(f"{path} cannot be read: its list of tensors is not valid") from error
    if claimed != size:
        raise RecordError(f"{path} has {size:,} bytes; expected {claimed:,} from its header")
    return header


def check_length(first: bytes, path: Path) -> int:
    """The length of a file's list of tensors, from its first bytes.

    Raises:
        RecordError: it is too long to be read.
    """
    length = int.from_bytes(first[:8], "little")
    if length > MOST_HEADER:
        raise RecordError(
            f"{path} has a header of {length:,} bytes; expected at most {MOST_HEADER:,}"
        )
    return length


def load_tensors(folder: Path, stem: str) -> dict[str, Tensor]:
    """Read one file of tensors of a checked folder.

    Raises:
        RecordError: the file is not valid.
    """
    path = folder / f"{stem}.safetensors"
    content = read_bytes(path, MAX_WEIGHTS_BYTES)
    check_length(content, path)
    try:
        return load(content)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
