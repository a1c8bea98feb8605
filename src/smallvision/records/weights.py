"""Folders of tensors under a manifest of SHA-256 sums.

safetensors cannot run code, but it loads a file with flipped bits without a word; the sums
close that gap. The manifest is written last, so a folder with a manifest is complete.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import hash_file, make_folder, write_bytes
from smallvision.records.schema import Manifest, Record

MANIFEST = "manifest.json"
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
    try:
        (folder / MANIFEST).unlink(missing_ok=True)  # nothing half-new may look complete
    except OSError as error:
        raise RecordError(f"{folder / MANIFEST} cannot be replaced: {error.strerror}") from error
    files = {}
    for stem, named in tensors.items():
        path = folder / f"{stem}.safetensors"
        write_bytes(path, save({name: t.detach().contiguous() for name, t in named.items()}))
        files[path.name] = hash_file(path)
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
        try:
            content = (source / name).read_bytes()
        except OSError as error:
            raise RecordError(f"{source / name} cannot be read: {error.strerror}") from error
        write_bytes(folder / name, content)


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
        if not path.is_file() or hash_file(path) != expected:
            raise RecordError(f"{path} is damaged or missing: its SHA-256 is not the manifest's")


def check_header(path: Path) -> None:
    """Refuse a file of tensors whose list of them is too long to be read.

    Raises:
        RecordError: it is, or the file is missing or unreadable.
    """
    if not path.is_file():
        raise RecordError(f"{path} is missing or no regular file")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}") from error
    if length > MOST_HEADER:
        raise RecordError(
            f"{path} has a header of {length:,} bytes; expected at most {MOST_HEADER:,}"
        )


def read_header(folder: Path, stem: str) -> dict[str, TensorType]:
    """Read which tensors a file holds, and none of them.

    Raises:
        RecordError: the file is not valid.
    """
    path = folder / f"{stem}.safetensors"
    check_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
    return {
        name: TensorType(TYPES.get(one.get_dtype(), one.get_dtype()), tuple(one.get_shape()))
        for name, one in slices.items()
    }


def load_tensors(folder: Path, stem: str) -> dict[str, Tensor]:
    """Read one file of tensors of a checked folder.

    Raises:
        RecordError: the file is not valid.
    """
    path = folder / f"{stem}.safetensors"
    check_header(path)
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise RecordError(f"{path} cannot be read: {error}") from error
