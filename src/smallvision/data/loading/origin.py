"""Where the images of a run came from, and how to read them again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.data.loading.load import load_data
from smallvision.data.sources.named import NAMED_DATA_SETS
from smallvision.data.sources.tar_shards import list_shards
from smallvision.errors import DataError
from smallvision.records import store
from smallvision.records.layout import STATUS, STUDY, TRIALS, TUNE, read_status
from smallvision.records.nofollow import exists
from smallvision.records.schema import DataOrigin, StudyRecord
from smallvision.records.schema.base import MAX_PATH

PATHS, PATTERNS = ("train", "val", "test"), ("label_from", "group_by")  # of the options
REPETITION, REPEATED_GROUP = re.compile(r"(?<!\()[*+?{]\??"), re.compile(r"\)[*+{]")


@dataclass(frozen=True)
class Remembered:
    """What the records of a study or a run tell of their data set.

    Attributes:
        name: of the data set.
        origin: where it was read from, or None.
        mirror_safe: whether a left-right flip keeps the label, as was told.
    """

    name: str
    origin: DataOrigin | None
    mirror_safe: bool


def describe_origin(dataset: DataSet) -> DataOrigin | None:
    """Where a data set was read from, for the records; None of arrays.

    A path that no record can hold is not remembered.
    """
    place = None if dataset.place is None else spell_place(dataset.place)
    if place is None and dataset.known_as is None:
        return None
    options = asdict(dataset.options)
    for part in PATHS:
        if options[part] is not None:
            options[part] = spell_place(options[part])
            if options[part] is None:
                return None
    return DataOrigin(place=place, known_as=dataset.known_as, **options)


def find_begun(folder: Path) -> Remembered | None:
    """The data set of a study, a run or a search that was begun in a folder; None without any.

    Of a search it is that of its first trial.

    Raises:
        RecordError: the record is damaged.
    """
    if exists(folder / STUDY):
        data = store.read(folder / STUDY, StudyRecord).data
        return Remembered(data.name, data.origin, data.mirror_safe)
    run = folder / TRIALS / f"{0:03d}" if exists(folder / TUNE) else folder
    if exists(run / STATUS):
        status = read_status(run)
        return Remembered(status.data, status.origin, status.mirror_safe)
    return None


def spell_place(place: Path) -> str | None:
    """An absolute path as text; None where a record cannot hold it."""
    text = str(place.absolute())
    try:
        text.encode()
    except UnicodeEncodeError:  # the name is not UTF-8
        return None
    return text if len(text) <= MAX_PATH else None


def load_again(
    folder: Path,
    name: str,
    origin: DataOrigin | None,
    data: str | Path | None,
    data_dir: str | Path | None,
    changes: Mapping[str, Any] | None = None,
) -> DataSet:
    """Load the data set that something was made from.

    Args:
        folder: what was made, for errors.
        name: of the data set.
        origin: where it was read from, as far as the records tell.
        data: where it lies now, or None for where it lay.
        data_dir: where to look for a named data set first.
        changes: arguments of `load_data` that replace the remembered ones.

    Raises:
        DataError: it is missing or damaged, the records do not tell where it is, or a pattern in
            them may take forever.
    """
    options = dict(changes or {})
    if origin is not None and data not in NAMED_DATA_SETS:
        check_patterns(folder, origin, options)
        options = origin.model_dump(exclude={"place", "known_as"}, exclude_none=True) | options
    if data is None:
        data, data_dir = find_source(folder, name, origin, data_dir)
    dataset = load_data(data, data_dir=data_dir, **options)
    return dataset if data in NAMED_DATA_SETS else replace(dataset, name=options.get("name", name))


def check_patterns(folder: Path, origin: DataOrigin, changes: Mapping[str, Any]) -> None:
    """Refuse remembered patterns that may take forever: a folder of records may be a stranger's.

    Raises:
        DataError: one has more than two repetitions, or a repeated group, and was not given anew.
    """
    for name in PATTERNS:
        pattern = getattr(origin, name)
        if pattern is None or name in changes:
            continue
        if len(REPETITION.findall(pattern)) > 2 or REPEATED_GROUP.search(pattern):
            raise DataError(
                f"{folder} remembers a pattern that may take long, '{pattern}'; if it is yours, "
                f"give it again as {name}"
            )


def find_source(
    folder: Path, name: str, origin: DataOrigin | None, data_dir: str | Path | None
) -> tuple[str | Path, str | Path | None]:
    """The source and the `data_dir` that records tell of; arguments as for `load_again`.

    Raises:
        DataError: they tell of none, or it is gone.
    """
    if origin is None:
        if name not in NAMED_DATA_SETS:
            raise DataError(
                f"{folder} was trained on '{name}', and no record tells where that is; name it: "
                "DATA, or --data"
            )
        return name, data_dir
    place = None if origin.place is None else Path(origin.place)
    is_there = place is not None and (place.exists() or bool(list_shards(place)))
    if origin.known_as is not None:
        return origin.known_as, place if is_there and data_dir is None else data_dir
    if place is None or not is_there:
        raise DataError(
            f"{folder} was trained on '{name}', which is no longer at {place}; name it: DATA, or "
            "--data"
        )
    return place, data_dir
