"""Parquet files as Hugging Face writes them: shards such as `train-00000-of-00005.parquet`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.labels import LabelEncoding, sort_names
from smallvision.data.decoding.parquet_file import (
    Columns,
    LabelColumn,
    check_embedded,
    read_columns,
    read_labels,
    read_rows,
    read_words,
)
from smallvision.data.decoding.regular import walk_entries
from smallvision.data.decoding.resize import Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.cifar_archives import CIFAR_CLASSES, CIFAR_SHAPE
from smallvision.data.sources.parquet_shards import group_shards, tell_shard
from smallvision.data.sources.pictures.reading import PictureBytes, read_pictures
from smallvision.data.sources.source import (
    DecodedPart,
    Layout,
    LeftOut,
    Part,
    SourceOptions,
)
from smallvision.errors import DataError
from smallvision.shapes import MAX_CLASSES, Labels, Shape

MAX_SHARDS = 10_000


class ParquetSource:
    """A Parquet file, or a folder with the shards of each part."""

    expects = "a .parquet file"
    takes: tuple[str, ...] = (
        *("image_size", "fit", "strict"),
        *("config", "image_column", "label_column", "group_by"),
    )

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe a file or folder without decoding its pictures; see `Source`."""
        return find_parquet(place, options)


@dataclass(frozen=True)
class _Shards:
    """The files of a set.

    Attributes:
        parts: those of each part.
        columns: what they hold.
        notes: what was understood that a person should know.
    """

    parts: Mapping[Part, Sequence[Path]]
    columns: Columns
    notes: tuple[str, ...]


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
        DataError: a shard is missing or unreadable, there are several configurations and none was
            named, or pyarrow is not installed.
    """
    paths = _list_files(place, deep)
    if not paths:
        return None
    parts: dict[Part, list[Path]] = {"train": paths}
    left_out: list[LeftOut] = []
    if place.is_file():
        notes = tell_shard(place)
    else:
        parts, left_out, notes = group_shards(place, paths, options.config)
    wanted = (options.image_column, options.label_column, options.group_by)
    used = dict.fromkeys((*parts["train"], *(path for some in parts.values() for path in some)))
    found = {path: read_columns(path, *wanted) for path in used}
    named = (columns.class_names for columns in found.values() if columns.class_names)
    columns = replace(found[parts["train"][0]], class_names=next(named, None))
    for path, other in found.items():
        if differs := other.tell_difference(columns):
            raise DataError(
                f"{path.relative_to(place)} has {differs} elsewhere; expected the same in all files"
            )
    kept, unlabelled = _drop_unlabelled(parts, columns)
    shards = _Shards(kept, columns, (*notes, *columns.notes))
    layout = _lay_out(place, shards, options, None)
    return replace(layout, left_out=(*left_out, *unlabelled))


def _drop_unlabelled(
    parts: Mapping[Part, Sequence[Path]], columns: Columns
) -> tuple[dict[Part, Sequence[Path]], list[LeftOut]]:
    """Leave out parts none of whose pictures has a label, as the test part of a contest."""
    kept: dict[Part, Sequence[Path]] = {}
    left_out = []
    for part, shards in parts.items():
        labels = [read_labels(shard, columns.label) for shard in shards] if part != "train" else []
        if labels and all(one.is_missing for one in labels):
            count = sum(len(one.codes) for one in labels)
            left_out.append(LeftOut("without a label", count, shards[0].name))
        else:
            kept[part] = shards
    return kept, left_out


def _lay_out(
    place: Path, shards: _Shards, options: SourceOptions, like: Preparation | None
) -> Layout:
    return Layout(
        source="Parquet",
        parts={
            part: partial(_read_part, shards, part, options, None if part == "train" else like)
            for part in shards.parts
        },
        place=place,
        files=tuple(sorted(path for some in shards.parts.values() for path in some)),
        prepare=partial(_lay_out, place, shards, options),
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
        named = (entry for entry in walk_entries(place) if entry.name.endswith(".parquet"))
        found = [Path(entry.path) for entry in named]
    else:
        found = [path for path in place.glob("*.parquet") if not path.name.startswith(".")]
    paths = sorted(path for path in found if path.suffix == ".parquet" and path.is_file())
    if len(paths) > MAX_SHARDS:
        raise DataError(f"there are {len(paths):,} Parquet files; expected at most {MAX_SHARDS:,}")
    return paths


def _read_part(
    shards: _Shards,
    part: Part,
    options: SourceOptions,
    like: Preparation | None,
    shape: Shape | None,
) -> DecodedPart:
    """Decode the pictures of all shards of a part, in the order of the file names."""
    if like is None and shape is not None:
        like = Preparation(shape)
    columns, paths = shards.columns, shards.parts[part]
    found = [read_labels(path, columns.label) for path in paths]
    training = [read_labels(path, columns.label) for path in shards.parts["train"]]
    encoding, notes = find_classes(training, columns, shards.parts["train"][0].name)
    labels = np.concatenate(
        [encode(one, encoding, path.name) for one, path in zip(found, paths, strict=True)]
    )
    read = read_pictures(
        _list_rows(paths, columns),
        len(labels),
        sample=_list_rows(paths, columns),
        options=options,
        like=like,
    )
    class_names = encoding.class_names
    if columns.class_names is None and encoding.keys == tuple(map(str, range(len(encoding)))):
        class_names, guessed = _guess_names(class_names, columns, read.stacked.images.shape[1:])
        notes += guessed
    if part == "train":
        notes = (*shards.notes, *notes)
    groups = None
    if columns.group is not None:
        words = [word for path in paths for word in read_words(path, columns.group)]
        groups = tuple(words[number] for number in read.kept.tolist())
    return DecodedPart(
        ImageSet(read.stacked.images, labels[read.kept], class_names),
        read.stacked.notes + read.notes + notes,
        read.left_out,
        groups=groups,
        origins=read.origins,
        preparation=read.stacked.preparation,
        sizes=read.stacked.sizes,
    )


def _list_rows(shards: Sequence[Path], columns: Columns) -> Iterator[PictureBytes]:
    for shard in shards:
        for name, content in read_rows(shard, columns):
            yield PictureBytes(name, partial(check_embedded, content, name))


def find_classes(
    training: Sequence[LabelColumn], columns: Columns, where: str
) -> tuple[LabelEncoding, tuple[str, ...]]:
    """How labels are encoded, from those of the training part and the class names, if any.

    Raises:
        DataError: there are too many different labels, or negative ones.
    """
    if any((one.words is None) != (training[0].words is None) for one in training):
        raise DataError(f"column '{columns.label}' holds text in some files and numbers in others")
    words = sorted({word for one in training for word in one.words or ()})
    names = columns.class_names
    if words:
        if len(words) > MAX_CLASSES:
            raise DataError(_tell_many(columns, len(words)))
        keys = names if names is not None and set(words) <= set(names) else sort_names(words)
        return LabelEncoding(keys, keys), ()
    distinct = np.unique(np.concatenate([np.unique(one.codes) for one in training]))
    low, high = int(distinct[0]), int(distinct[-1])
    if names is not None:
        if (low, high) != (1, len(names)):
            return LabelEncoding(names, None), ()
        numbers = tuple(str(k) for k in range(1, high + 1))
        return LabelEncoding(names, numbers), ("The labels count from 1.",)
    if low < 0:
        raise DataError(
            f"{where} holds labels from {low} to {high}; expected 0 or more: remove images without "
            "a label"
        )
    if len(distinct) > MAX_CLASSES:  # checked before a name is made for each
        raise DataError(_tell_many(columns, len(distinct)))
    numbers = tuple(map(str, distinct.tolist()))
    return LabelEncoding(numbers, numbers), ("The files name no classes; numbers were used.",)


def _tell_many(columns: Columns, count: int) -> str:
    return (
        f"column '{columns.label}' holds {count:,} different labels; expected at most "
        f"{MAX_CLASSES:,} classes: name another with label_column"
    )


def encode(labels: LabelColumn, encoding: LabelEncoding, where: str) -> Labels:
    """Labels of a shard as int64 positions of their classes.

    Raises:
        DataError: a label is not one of the training classes.
    """
    if labels.words is None:
        return encoding.encode(labels.codes, where)
    position = {key: i for i, key in enumerate(encoding.keys or encoding.class_names)}
    used = np.unique(labels.codes)
    for code in used:
        if labels.words[code] not in position:
            raise DataError(
                f"{where}: '{labels.words[code]:.80}' is not among the training classes"
            )
    places = np.full(len(labels.words), -1, dtype=np.int64)
    places[used] = [position[labels.words[code]] for code in used]
    return places[labels.codes]


def _guess_names(
    numbers: tuple[str, ...], columns: Columns, shape: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names for files without any: CIFAR's if they look like CIFAR, else numbers; and a note.

    Other data sets have ten classes of 32x32 pixels too, so CIFAR's own column name is required.
    """
    for name, class_names in CIFAR_CLASSES.items():
        if columns.image == "img" and (len(numbers), shape) == (len(class_names), CIFAR_SHAPE):
            return class_names, (f"The files name no classes; {name}'s were used.",)
    return numbers, ()
