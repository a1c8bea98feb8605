"""Which Parquet or tar files belong together: parts, configurations, and missing shards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.decoding.labels import name_some
from smallvision.data.sources.source import PART_NAMES, LeftOut, Part
from smallvision.errors import DataError, SettingError, nearest

OTHER_SPLIT = "files of a split that is neither train, validation nor test"
OTHER_CONFIG = "files of another configuration"
PARTIAL = "partial-"  # which Hugging Face puts before the folder of a split that it cut
# `train-00000-of-00005`, also with a hash behind it, underscores, or numbers of other lengths.
_SHARD = re.compile(r"(.*?)[-_.]?(\d+)[-_]of[-_](\d+)(.*)", re.DOTALL)
_NUMBERED = re.compile(r"(.*?)(\d{4,})(.*)", re.DOTALL)  # 0000, part-00000-HASH.snappy


@dataclass(frozen=True)
class Shard:
    """What the name and the folders of a file tell.

    Attributes:
        path: of the file.
        part: it belongs to; None if nothing tells it.
        config: the configuration: folders and the start of the name, without words for parts.
        partial: whether it is in a folder of a split that was cut.
    """

    path: Path
    part: Part | None
    config: str
    partial: bool


def group_shards(
    place: Path, paths: Sequence[Path], config: str | None
) -> tuple[dict[Part, list[Path]], list[LeftOut], tuple[str, ...]]:
    """Sort the files of a folder by part.

    Args:
        place: the folder.
        paths: its files.
        config: the configuration that the user named, or None.

    Returns: the files of each part, what is left out, and notes.

    Raises:
        DataError: there are several configurations and none was named, there is no training part,
            or a shard is missing.
        SettingError: there is no such configuration.
    """
    shards = [describe(path, path.relative_to(place)) for path in paths]
    chosen, left_out = _choose_config(shards, config)
    parts: dict[Part, list[Path]] = {}
    others = []
    for shard in chosen:
        if shard.part is None:
            others.append(shard.path)
        else:
            parts.setdefault(shard.part, []).append(shard.path)
    if not parts:
        parts, others = {"train": others}, []
    if "train" not in parts:
        raise DataError("there are shards, but none is called train-…")
    if others:
        left_out.append(LeftOut(OTHER_SPLIT, len(others), str(others[0].relative_to(place))))
    for some in parts.values():
        check_complete(some)
    cut = [shard.path.parent.name for shard in chosen if shard.partial]
    notes = (f"{cut[0]} holds only a part of its split, as its name says.",) if cut else ()
    return parts, left_out, notes


def describe(path: Path, inside: Path) -> Shard:
    """What the name and the folders of a file tell of it."""
    folders = [folder.lower() for folder in inside.parts[:-1]]
    words = re.split(r"[-_.]", inside.stem.lower())
    told = [word for word in words if word in PART_NAMES]
    start = ""
    part = PART_NAMES[told[0]] if told else None
    if told:
        start = inside.stem[: inside.stem.lower().index(told[0])].strip("-_.")
    rest = []
    for name, folder in zip(inside.parts[:-1], folders, strict=True):
        word = folder.removeprefix(PARTIAL)
        if word in PART_NAMES:
            part = part or PART_NAMES[word]
        else:
            rest.append(name)
    config = "/".join(name for name in (*rest, start) if name and name.lower() != "data")
    return Shard(path, part, config, any(folder.startswith(PARTIAL) for folder in folders))


def _choose_config(
    shards: Sequence[Shard], config: str | None
) -> tuple[Sequence[Shard], list[LeftOut]]:
    """The files of one configuration: of the one that was named, or of the only one."""
    parted = any(shard.part for shard in shards)
    # Folders such as `year=2020` divide the rows of one set.
    known = list(
        dict.fromkeys(
            shard.config
            for shard in shards
            if (shard.part == "train" or not parted) and "=" not in shard.config
        )
    )
    if config is None:
        if len(known) < 2:
            return shards, []
        raise DataError(
            f"it holds {len(known)} configurations ({name_some([one or '.' for one in known])}); "
            "choose one with config"
        )
    if config not in known:
        names = [one for one in known if one]
        hint = nearest(config, names) if names else "; it has no configurations"
        raise SettingError(f"there is no configuration '{config:.80}'{hint}")
    chosen = [shard for shard in shards if shard.config == config]
    if len({shard.config for shard in shards}) > 1 and len(known) == 1:
        chosen = list(shards)  # the folders of the other parts lie beside it
    rest = [shard for shard in shards if shard not in chosen]
    left_out = [LeftOut(OTHER_CONFIG, len(rest), rest[0].path.name)] if rest else []
    return chosen, left_out


def tell_shard(path: Path) -> tuple[str, ...]:
    """A note where the name of a single file says that it is one of several."""
    found = _SHARD.fullmatch(path.stem)
    if found is None or int(found[3]) < 2:
        return ()
    return (
        f"{path.name} is one of {int(found[3])} files, as its name says; the others were not read.",
    )


def check_complete(shards: Sequence[Path]) -> None:
    """Refuse a part of which a shard is missing.

    Shards say how many they are (`train-00000-of-00005`), or are numbered without a gap.

    Raises:
        DataError: one is missing.
    """
    ending = shards[0].suffix if shards else ""
    told: dict[tuple[Path, str, str], dict[int, str]] = {}
    plain: dict[tuple[Path, str], dict[int, str]] = {}
    for shard in shards:
        if found := _SHARD.fullmatch(shard.stem):
            start, number, total, _hash = found.groups()
            told.setdefault((shard.parent, start, total), {})[int(number)] = shard.stem
        elif found := _NUMBERED.fullmatch(shard.stem):
            start, number, _hash = found.groups()
            plain.setdefault((shard.parent, start), {})[int(number)] = shard.stem
    for (_, _, total), present in sorted(told.items()):
        first = 1 if int(total) in present and 0 not in present else 0
        # The first that is missing is found after as many steps as there are shards.
        for i in range(first, int(total) + first):
            if i not in present:
                name = f"{_name_missing(present, i)}{ending}"
                raise DataError(f"{name} is missing; get all {total} shards")
    for present in plain.values():
        low, high = min(present), max(present)
        if low > 1:
            continue  # a year, or another number that does not count
        for i in range(low, high):
            if i not in present:
                name = f"{_name_missing(present, i)}{ending}"
                raise DataError(f"{name} is missing; get all shards")


def _name_missing(present: dict[int, str], number: int) -> str:
    """What the missing shard is called, but for its ending, from the name of one that is there."""
    stem = present[min(present)]
    found = re.search(r"\d+(?=[-_]of[-_])", stem) or re.search(r"\d{4,}", stem)
    assert found is not None
    spelt = str(number).zfill(len(found[0]))
    tail = re.sub(r"(of[-_]\d+).*", r"\1", stem[found.end() :])
    return f"{stem[: found.start()]}{spelt}{tail}"
