"""Records with their pictures as data URIs, so that the page carries them along."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smallvision.errors import RecordError
from smallvision.reporting.findings import Mistakes
from smallvision.reporting.folder import Folder, is_plain_name
from smallvision.reporting.pictures import Channel, Duplicates, Exploration, Picture, Preview

LOST = " is missing: one picture less."
MOST_NAMED = 3  # lost pictures that are named each
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class PreviewRecord:
    """An augmentation as the record lists it."""

    name: str
    sentence: str
    file: str


@dataclass(frozen=True)
class NormalizationRecord:
    """The file names of the two normalisation strips."""

    before: str
    after: str


@dataclass(frozen=True)
class PicturesRecord:
    """The file names of all pictures."""

    random: str | None = None
    classes: tuple[str, ...] = ()
    averages: tuple[str, ...] = ()
    normalization: NormalizationRecord | None = None
    augmentations: tuple[PreviewRecord, ...] = ()


@dataclass(frozen=True)
class ExplorationRecord:
    """`exploration.json` before its pictures are read."""

    n: int
    class_names: tuple[str, ...]
    counts: tuple[int, ...]
    imbalance: float
    channels: tuple[Channel, ...]
    duplicates: Duplicates
    implications: tuple[str, ...]
    pictures: PicturesRecord


def sum_up_lost(missing: Sequence[str]) -> tuple[str, ...]:
    """What is missing, many pictures in one line: records are often kept without any."""
    lost = [line.removesuffix(LOST) for line in missing if line.endswith(LOST)]
    if len(lost) <= MOST_NAMED:
        return tuple(missing)
    others = (line for line in missing if not line.endswith(LOST))
    return (*others, f"{lost[0]} and {len(lost) - 1} other pictures are missing.")


def read_picture(folder: Folder, name: str | None) -> Picture | None:
    """Read a PNG that a record names; None when it is not there.

    Raises:
        RecordError: the name leaves the folder, or the file is no PNG.
    """
    if name is None:
        return None
    if not is_plain_name(name):
        raise RecordError(f"{folder.path}: the picture name {name!r} is not a plain file name")
    path = folder.path / name
    if path.is_symlink() or not path.is_file():
        folder.missing.append(f"{folder.path.name}/{name}{LOST}")
        return None
    content = path.read_bytes()
    if len(content) < 24 or not content.startswith(PNG_SIGNATURE) or content[12:16] != b"IHDR":
        raise RecordError(f"{path} is not a PNG picture; run the step that drew it again")
    width, height = struct.unpack(">II", content[16:24])
    encoded = base64.b64encode(content).decode("ascii")
    return Picture(f"data:image/png;base64,{encoded}", width, height)


def read_exploration(study: Folder) -> Exploration | None:
    """Read the exploration of a study; None, with a note, when there is none."""
    name = "exploration/exploration.json"
    record = study.read(ExplorationRecord, name, "the report has no look at the data.")
    if record is None:
        return None
    folder = Folder(study.path / "exploration", study.missing)
    names = record.pictures
    strips = names.normalization
    return Exploration(
        n=record.n,
        class_names=record.class_names,
        counts=record.counts,
        imbalance=record.imbalance,
        channels=record.channels,
        duplicates=record.duplicates,
        implications=record.implications,
        random=read_picture(folder, names.random),
        classes=tuple(read_picture(folder, name) for name in names.classes),
        averages=tuple(read_picture(folder, name) for name in names.averages),
        before=read_picture(folder, strips.before if strips else None),
        after=read_picture(folder, strips.after if strips else None),
        augmentations=tuple(
            Preview(preview.name, preview.sentence, read_picture(folder, preview.file))
            for preview in names.augmentations
        ),
    )


def read_mistakes(study: Folder, run: str) -> Mistakes | None:
    """Read the error analysis of a run; None when there is none."""
    folder = Folder(study.path / run / "errors", study.missing)
    record = folder.read_optional(Mistakes, "errors.json")
    if record is None:
        return None
    pictures = {name: read_picture(folder, name) for name in record.list_files()}
    return replace(record, pictures=pictures)
