"""Parquet files as Hugging Face writes them: shards such as `train-00000-of-00005.parquet`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.parquet_file import (
    Columns,
    check_embedded,
    read_columns,
    read_labels,
    read_rows,
)
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.decoding.resize import Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.cifar_archives import CIFAR_CLASSES, CIFAR_SHAPE
from smallvision.data.sources.pictures.reading import PictureBytes, read_pictures
from smallvision.data.sources.source import (
    PART_NAMES,
    DecodedPart,
    Layout,
    Part,
    SourceOptions,
)
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES, Shape

MAX_SHARDS = 10_000


class ParquetSource:
    """A Parquet file, or a folder with the shards of each part."""

    expects = "a .parquet file"
    takes: tuple[str, ...] = ("image_size", "fit", "strict")

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a file or folder without decoding its pictures; see `Source`."""
        return find_parquet(place, options)


def find_parquet(
    place: Path, options: SourceOptions = SourceOptions(), *, deep: bool = True
) -> Layout | None:
    """Recognize a Parquet file or a folder of shards.

    Args:
        place: a file or a folder.
        options: of the user.
        deep: also look into sub-folders.

    Returns: the layout, or None when there is no Parquet file.

    Raises:
        DataError: a shard is missing or unreadable, or pyarrow is not installed.
    """
    paths = _list_files(place, deep)
    if not paths:
        return None
    parts = _group_by_part(place, paths)
    found = {path: read_columns(path) for path in dict.fromkeys((*parts["train"], *paths))}
    named = (columns.class_names for columns in found.values() if columns.class_names)
    columns = replace(found[parts["train"][0]], class_names=next(named, None))
    for path, other in found.items():
        if differs := other.tell_difference(columns):
            raise DataError(
                f"{path.relative_to(place)} has {differs} elsewhere; expected the same in all files"
            )
    return _lay_out(place, parts, columns, options, None)


def _lay_out(
    place: Path,
    parts: Mapping[Part, Sequence[Path]],
    columns: Columns,
    options: SourceOptions,
    like: Preparation | None,
) -> Layout:
    return Layout(
        source="Parquet",
        parts={
            part: partial(
                _read_part,
                shards,
                parts["train"],
                columns,
                options,
                None if part == "train" else like,
            )
            for part, shards in parts.items()
        },
        place=place,
        files=tuple(sorted(path for shards in parts.values() for path in shards)),
        prepare=partial(_lay_out, place, parts, columns, options),
    )


def holds_parts(place: Path, ending: str) -> bool:
    """Whether a folder holds files of training and of test images, named with such an ending."""
    return all(any(place.glob(f"{part}{ending}.parquet")) for part in ("train", "test"))


def _list_files(place: Path, deep: bool) -> list[Path]:
    if place.is_file():
        return [place] if place.suffix == ".parquet" else []
    if not place.is_dir():
        return []
    if deep:
        found = [Path(entry.path) for entry in walk_entries(place)]
    else:
        found = [path for path in place.glob("*.parquet") if not path.name.startswith(".")]
    paths = sorted(path for path in found if path.suffix == ".parquet" and path.is_file())
    if len(paths) > MAX_SHARDS:
        raise DataError(f"there are {len(paths):,} Parquet files; expected at most {MAX_SHARDS:,}")
    return paths


def _group_by_part(place: Path, paths: Sequence[Path]) -> dict[Part, list[Path]]:
    """Sort shards by the part that starts their name, or else by their folder inside `place`."""
    parts: dict[Part, list[Path]] = {}
    others = []
    for path in paths:
        inside = path.relative_to(place)  # empty for a single file, which is all there is
        prefix = re.split(r"[-_.]", inside.name.lower())[0]
        part = PART_NAMES.get(prefix) or PART_NAMES.get(inside.parent.name.lower())
        if part:
            parts.setdefault(part, []).append(path)
        else:
            others.append(path)
    if not parts:
        return {"train": others}
    if others:
        raise DataError(
            f"{others[0].name} starts with neither train, validation nor test; rename or remove it"
        )
    if "train" not in parts:
        raise DataError("there are Parquet files, but none is called train-…")
    for shards in parts.values():
        _check_complete(shards)
    return parts


def _check_complete(shards: Sequence[Path]) -> None:
    """Shards say how many they are: `train-00000-of-00005`."""
    present = {shard.stem for shard in shards}
    names = (re.fullmatch(r"(.+)-\d{5}-of-(\d{5})", stem, re.DOTALL) for stem in present)
    for start, total in sorted({found.groups() for found in names if found}):
        # The first that is missing is found after as many steps as there are shards.
        for i in range(int(total)):
            if (wanted := f"{start}-{i:05d}-of-{total}") not in present:
                raise DataError(f"{wanted}.parquet is missing; get all {total} shards")


def _read_part(
    shards: Sequence[Path],
    train: Sequence[Path],
    columns: Columns,
    options: SourceOptions,
    like: Preparation | None,
    shape: Shape | None,
) -> DecodedPart:
    """Decode the pictures of all shards of a part, in the order of the file names."""
    if like is None and shape is not None:
        like = Preparation(shape)
    known = len(columns.class_names) if columns.class_names else None
    labels = [read_labels(shard, columns, known) for shard in shards]
    read = read_pictures(
        _list_rows(shards, columns),
        sum(map(len, labels)),
        sample=_list_rows(shards, columns),
        options=options,
        like=like,
    )
    class_names, notes = columns.class_names, read.stacked.notes + read.notes
    if class_names is None:
        class_names, note = _guess_names(train, columns, read.stacked.images.shape[1:])
        notes = (*notes, note)
        for shard in shards:
            read_labels(shard, columns, len(class_names))  # which refuses those beyond the names
    return DecodedPart(
        ImageSet(read.stacked.images, np.concatenate(labels)[list(read.kept)], class_names),
        notes,
        read.left_out,
        origins=read.origins,
        preparation=read.stacked.preparation,
        sizes=read.stacked.sizes,
    )


def _list_rows(shards: Sequence[Path], columns: Columns) -> Iterator[PictureBytes]:
    for shard in shards:
        for name, content in read_rows(shard, columns):
            yield PictureBytes(name, partial(check_embedded, content, name))


def _guess_names(
    train: Sequence[Path], columns: Columns, shape: tuple[int, ...]
) -> tuple[tuple[str, ...], str]:
    """Names for files without any: CIFAR's if they look like CIFAR, else numbers; and a note.

    Other data sets have ten classes of 32x32 pixels too, so CIFAR's own column name is required.
    """
    K = 1 + max(int(read_labels(shard, columns).max()) for shard in train)
    if K > MAX_CLASSES:  # checked before a name is made for each
        raise DataError(
            f"column '{columns.label}' has labels up to {K - 1:,}; expected 0 to K - 1 for at most "
            f"{MAX_CLASSES:,} classes"
        )
    for name, class_names in CIFAR_CLASSES.items():
        if columns.image == "img" and (K, shape) == (len(class_names), CIFAR_SHAPE):
            return class_names, f"The files name no classes; {name}'s were used."
    return tuple(str(i) for i in range(K)), "The files name no classes; numbers were used."
