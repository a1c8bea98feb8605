"""Samples in a shard of `webdataset`: members of a tar with one name, and what each ending is.

The members of a sample follow each other. Its name goes to the first dot of the file's name, and
the rest is the ending: `n01/0007.jpg` and `n01/0007.cls` are a picture and its class.
https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smallvision.data.decoding.columns import LABELS, spell_key
from smallvision.data.decoding.image import MAX_FILE_BYTES, SUFFIXES
from smallvision.data.decoding.tar import TarLimits, open_tar
from smallvision.errors import DataError
from smallvision.records.files import BOMB_BYTES, BOMB_RATIO
from smallvision.records.nesting import check_depth
from smallvision.shapes import MAX_NAME

MAX_SHARD_BYTES = 50_000_000_000
MAX_LABEL_BYTES, MAX_JSON_BYTES = 4 * MAX_NAME, 1_000_000
# Members of any shard, and bytes that each takes at least in a larger one.
FEW_MEMBERS, MEMBER_BYTES = 5_000, 100
CLASS, FIELDS = "cls", "json"  # endings


@dataclass
class Sample:
    """The members of a tar with one name.

    Attributes:
        name: of the sample, with the folders in the tar.
        picture: the bytes of its picture, or None.
        label: its class, or None.
        others: how many of its members are neither.
    """

    name: str
    picture: bytes | None = None
    label: str | int | None = None
    others: int = field(default=0)


def read_samples(shard: Path, *, pictures: bool = True) -> Iterator[Sample]:
    """Yield the samples of a shard in order; one is in memory at a time.

    Args:
        shard: a `.tar`, or one that gzip packed.
        pictures: whether the bytes of pictures are wanted; without, they are empty.

    Raises:
        DataError: the shard is damaged or holds what none does; the message starts with its name.
    """
    try:
        sample: Sample | None = None
        for member, content in _read_members(shard, pictures):
            folder, _, file = member.rpartition("/")
            name, _, ending = file.partition(".")
            name = f"{folder}/{name}" if folder else name
            if sample is None or sample.name != name:
                if sample is not None:
                    yield sample
                sample = Sample(name)
            _add(sample, ending.lower().rpartition(".")[2], content)
        if sample is not None:
            yield sample
    except DataError as error:
        raise DataError(f"{shard.name}: {error}") from error


def holds_samples(shard: Path) -> bool:
    """Whether a tar begins with a picture and its class under one name.

    Raises:
        DataError: it is damaged.
    """
    first = next(read_samples(shard, pictures=False), None)
    return first is not None and first.picture is not None and first.label is not None


def _read_members(shard: Path, pictures: bool) -> Iterator[tuple[str, bytes]]:
    """Yield the names of the plain files of a tar, and the content of those that are wanted."""
    size = shard.stat().st_size
    most = max(FEW_MEMBERS, size // MEMBER_BYTES)
    total = min(MAX_SHARD_BYTES, max(BOMB_BYTES, BOMB_RATIO * size))
    with open_tar(shard, TarLimits(MAX_SHARD_BYTES, total, most, "shard")) as (tar, unzipped):
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # which would grow with the archive
            if not member.isfile() or member.issparse():
                continue
            name = member.name.removeprefix("./")
            if name.rpartition("/")[2].startswith("."):  # of the system
                continue
            yield name, _read_content(tar, member, pictures)
        while unzipped.read():  # the checksum of gzip comes last
            pass
        if unzipped.last.strip(b"\0") or not unzipped.last:  # tarfile passes over a cut header
            raise DataError("the archive is cut short: it lacks its end; get it again")


def _read_content(tar: tarfile.TarFile, member: tarfile.TarInfo, pictures: bool) -> bytes:
    ending = f".{member.name.lower().rpartition('.')[2]}"
    limits = {f".{CLASS}": MAX_LABEL_BYTES, f".{FIELDS}": MAX_JSON_BYTES}
    most = limits.get(ending, MAX_FILE_BYTES if ending in SUFFIXES and pictures else None)
    if most is None:
        return b""
    if member.size > most:
        raise DataError(f"{member.name:.200} has {member.size:,} bytes; expected at most {most:,}")
    stream = tar.extractfile(member)
    content = stream.read() if stream else b""
    if len(content) != member.size:
        raise DataError(f"{member.name:.200} is cut short; get the shard again")
    return content


def _add(sample: Sample, ending: str, content: bytes) -> None:
    """Add a member to a sample; of two pictures or classes the first counts."""
    if f".{ending}" in SUFFIXES and sample.picture is None:
        sample.picture = content
    elif ending == CLASS and sample.label is None:
        sample.label = _read_class(sample.name, content)
    elif ending == FIELDS and sample.label is None and (found := _find_label(sample.name, content)):
        (sample.label,) = found
    else:
        sample.others += 1


def _read_class(name: str, content: bytes) -> str | int:
    text = content.decode(errors="replace").strip()
    if not text:
        raise DataError(f"{name:.200}.{CLASS} is empty; expected a class")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text


def _find_label(name: str, content: bytes) -> tuple[str | int] | None:
    """The class among the fields of a sample, if there is one under a usual name."""
    try:
        text = content.decode()
        check_depth(text)
        fields: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name:.200}.{FIELDS} cannot be read as JSON ({error})") from error
    if not isinstance(fields, dict):
        return None
    named = {spell_key(key): value for key, value in reversed(fields.items())}
    for usual in LABELS.usual:
        value = named.get(usual)
        if isinstance(value, str) and 0 < len(value.strip()) <= MAX_NAME:
            return (value.strip(),)
        if isinstance(value, int) and not isinstance(value, bool):
            return (value,)
    return None
