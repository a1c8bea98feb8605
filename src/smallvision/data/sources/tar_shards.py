"""Shards of `webdataset`: tar files whose members are pictures and their classes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from glob import has_magic
from itertools import islice
from pathlib import Path

from smallvision.data.decoding.formats.unpack import TAR_SUFFIXES
from smallvision.data.decoding.labels import LabelEncoding
from smallvision.data.decoding.resize import Preparation
from smallvision.data.decoding.tar_samples import holds_samples, read_samples
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.parquet_shards import group_shards, tell_shard
from smallvision.data.sources.pictures.reading import LOOKED_AT, PictureBytes, read_pictures
from smallvision.data.sources.source import (
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    SourceOptions,
    merge_left_out,
    tell_part,
)
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES, Shape

MAX_SHARDS, LOOKED_INTO = 10_000, 3
NO_LABEL, NO_PICTURE = "without a label", "without a picture"
OTHER_MEMBER = "a member of a shard that is neither a picture nor a class"


class TarShardsSource:
    """A tar, a folder of tars, or a pattern of their names (`data/train-*.tar`).

    Each sample is a picture and, under the same name, its class: a number or a word in a `.cls`,
    or a field of a `.json`. The names of the files tell the parts. They are read where they lie.
    """

    expects = "a .tar of samples"
    takes: tuple[str, ...] = ("image_size", "fit", "config", "strict")

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a file, a folder or a pattern without decoding its pictures; see `Source`."""
        paths = list_shards(place)
        if not any(map(is_sampled, paths[:LOOKED_INTO])):
            return None
        if place.is_file():
            parts: Mapping[Part, Sequence[Path]] = {"train": paths}
            return _lay_out(place, _TarShards(parts, (), tell_shard(place)), options, None)
        root = place if place.is_dir() else place.parent
        grouped, left_out, notes = group_shards(root, paths, options.config)
        return _lay_out(place, _TarShards(grouped, tuple(left_out), notes), options, None)


@dataclass(frozen=True)
class _TarShards:
    """The files of each part, what is left out, and what was understood."""

    parts: Mapping[Part, Sequence[Path]]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def is_shard(path: Path) -> bool:
    """Whether a file is called like a tar."""
    return path.name.lower().endswith(TAR_SUFFIXES) and not path.name.startswith(".")


def is_sampled(path: Path) -> bool:
    """Whether a file is a tar that begins with a picture and its class."""
    if not is_shard(path):
        return False
    with suppress(DataError):  # whoever reads it says what is wrong
        return holds_samples(path)
    return False


def is_pattern(place: Path) -> bool:
    """Whether a path is no file but a pattern of the names of some."""
    return has_magic(place.name) and not place.exists()


def list_shards(place: Path) -> list[Path]:
    """The tars that a path stands for: a file, those of a folder and the folders in it, a pattern.

    Raises:
        DataError: there are more than any data set has.
    """
    found: Iterator[Path]
    if is_pattern(place):
        found = place.parent.glob(place.name)
    elif place.is_dir():
        parts = (path for path in place.iterdir() if tell_part(path.name) and path.is_dir())
        found = (path for folder in (place, *parts) for path in folder.glob("*.t*"))
    else:
        found = iter([place])
    paths = sorted(islice((path for path in found if is_shard(path)), MAX_SHARDS + 1))
    if len(paths) > MAX_SHARDS:
        raise DataError(f"there are more than {MAX_SHARDS:,} shards")
    return [path for path in paths if path.is_file()]


def _lay_out(
    place: Path, shards: _TarShards, options: SourceOptions, like: Preparation | None
) -> Layout:
    return Layout(
        source="tar shards",
        parts={
            part: partial(_read_part, shards, part, options, None if part == "train" else like)
            for part in shards.parts
        },
        place=place,
        files=tuple(sorted(path for some in shards.parts.values() for path in some)),
        options=options,
        left_out=shards.left_out,
        notes=shards.notes,
        prepare=partial(_lay_out, place, shards, options),
    )


@dataclass(frozen=True, eq=False)
class _LabelsFound:
    """What a look at the samples of a part found: their labels in order, and what is left out."""

    labels: list[str | int]
    left_out: tuple[LeftOut, ...]


def _read_labels(paths: Sequence[Path]) -> _LabelsFound:
    labels: list[str | int] = []
    known: dict[str | int, str | int] = {}  # so that each word is in memory once
    left_out: list[LeftOut] = []
    for path in paths:
        for sample in read_samples(path, pictures=False):
            name = f"{path.name}/{sample.name}"
            if sample.others:
                left_out.append(LeftOut(OTHER_MEMBER, sample.others, name))
            if sample.picture is None or sample.label is None:
                reason = NO_PICTURE if sample.picture is None else NO_LABEL
                left_out.append(LeftOut(reason, 1, name))
            else:
                labels.append(known.setdefault(sample.label, sample.label))
        left_out = [*merge_left_out(left_out)]
    if not labels:
        raise DataError(f"{paths[0].name} holds no picture with a class")
    if not all(isinstance(label, int) for label in labels):
        labels = [sys.intern(str(label)) for label in labels]
    return _LabelsFound(labels, tuple(left_out))


def _list_pictures(paths: Sequence[Path]) -> Iterator[PictureBytes]:
    for path in paths:
        for sample in read_samples(path):
            if sample.picture is not None and sample.label is not None:
                name = f"{path.name}/{sample.name}"
                yield PictureBytes(name, partial(bytes, sample.picture))


def _read_part(
    shards: _TarShards,
    part: Part,
    options: SourceOptions,
    like: Preparation | None,
    shape: Shape | None,
) -> DecodedPart:
    """Decode the pictures of all shards of a part, in the order of the file names."""
    if like is None and shape is not None:
        like = Preparation(shape)
    paths = shards.parts[part]
    found = _read_labels(paths)
    training = found if part == "train" else _read_labels(shards.parts["train"])
    distinct = set(training.labels)
    if len(distinct) > MAX_CLASSES:
        raise DataError(f"there are {len(distinct):,} classes; expected at most {MAX_CLASSES:,}")
    encoding = LabelEncoding.fit(sorted(distinct, key=str), None, "labels")
    read = read_pictures(
        _list_pictures(paths),
        len(found.labels),
        sample=islice(_list_pictures(paths), LOOKED_AT),
        options=options,
        like=like,
    )
    labels = encoding.encode(found.labels, "labels")
    return DecodedPart(
        ImageSet(read.stacked.images, labels[read.kept], encoding.class_names, read.names),
        read.stacked.notes + read.notes,
        merge_left_out([*found.left_out, *read.left_out]),
        origins=read.origins,
        preparation=read.stacked.preparation,
        sizes=read.stacked.sizes,
    )
