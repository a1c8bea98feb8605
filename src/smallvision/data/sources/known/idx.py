"""MNIST and its relatives (Fashion-MNIST, KMNIST, EMNIST) in IDX files, packed or not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

from smallvision.data.decoding.formats.idx import read_idx
from smallvision.data.decoding.labels import LabelEncoding
from smallvision.data.sources.arrays import convert_arrays
from smallvision.data.sources.source import DecodedPart, Layout, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Shape

NAME = re.compile(
    r"(?:(?P<set>.+)[-_])?(?P<part>train|t10k|test)[-_](?P<kind>images|labels)"
    r"[-.]idx(?P<dimensions>[13])[-_]ubyte(?:\.gz)?",
    re.IGNORECASE | re.DOTALL,
)
PARTS: dict[str, Part] = {"train": "train", "t10k": "test", "test": "test"}
FASHION = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
MOST_FOLDERS = 50  # that are looked into for a folder `raw`

Files: TypeAlias = dict[tuple[Part, str], Path]  # (part, `images` or `labels`) -> file


class IdxSource:
    """IDX files with the names of MNIST, or a folder that holds them, as torchvision keeps it.

    EMNIST has several sets in one folder (`emnist-letters-train-images-idx3-ubyte`), of which
    `config` chooses one.
    """

    expects = "the IDX files of MNIST (train-images-idx3-ubyte)"
    takes: tuple[str, ...] = ("config",)

    def recognize(self, place: Path, options: SourceOptions) -> Layout | None:
        """Describe files or a folder without reading images; see `Source`.

        Raises:
            DataError: a file is missing, or there are several sets and none is chosen.
        """
        named = NAME.fullmatch(place.name) if place.is_file() else None
        if named:
            sets = {named["set"] or "": _list_sets(place.parent)[named["set"] or ""]}
        elif place.is_dir():
            sets = next(filter(None, map(_list_sets, _list_folders(place))), {})
        else:
            return None
        if not sets:
            return None
        name = _choose(sets, options.config)
        files = sets[name]
        for part in {part for part, _ in files} | {"train"}:
            for kind in ("images", "labels"):
                if (part, kind) not in files:
                    raise DataError(f"the {kind} of the {part} part are missing; get all files")
        parts: dict[Part, partial[DecodedPart]] = {
            part: partial(_read_part, files, part, place)
            for part, kind in files
            if kind == "images"
        }
        return Layout(
            source="IDX files", parts=parts, place=place, files=tuple(sorted(files.values()))
        )


def _list_folders(place: Path) -> Iterator[Path]:
    """Where the files may lie: torchvision has `MNIST/raw`, the archive of EMNIST `gzip`."""
    yield place
    for name in ("raw", "gzip"):
        if (place / name).is_dir():
            yield place / name
    folders = [entry / "raw" for entry in place.iterdir() if (entry / "raw").is_dir()]
    if len(folders) == 1:
        yield folders[0]


def _list_sets(folder: Path) -> dict[str, Files]:
    """The files of each set by its name, which is empty for those of MNIST."""
    sets: dict[str, Files] = {}
    for path in sorted(folder.iterdir()):
        found = NAME.fullmatch(path.name)
        if found and path.is_file():
            part, kind = PARTS[found["part"].lower()], found["kind"].lower()
            # The packed one of two comes last, and is not needed.
            sets.setdefault(found["set"] or "", {}).setdefault((part, kind), path)
    return sets


def _choose(sets: Mapping[str, Files], config: str | None) -> str:
    if config is None and len(sets) == 1:
        return next(iter(sets))
    if config is not None and config in sets:
        return config
    fitting = [name for name in sets if config and name.endswith(config)]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(name or "(without a name)" for name in sets)
    raise DataError(f"it holds several sets ({known}); choose one with --config (config=)")


def _read_part(files: Files, part: Part, place: Path, _: Shape | None) -> DecodedPart:
    images, labels = read_idx(files[part, "images"]), read_idx(files[part, "labels"])
    train = labels if part == "train" else read_idx(files["train", "labels"])
    notes: tuple[str, ...] = ()
    if images.ndim == 3 and files[part, "images"].name.lower().startswith("emnist"):
        images = images.transpose(0, 2, 1)
        notes = ("The images of EMNIST are stored on their side and were turned upright.",)
    names = None
    if "fashion" in str(place).lower() and int(train.max(initial=0)) == len(FASHION) - 1:
        names = FASHION
        notes = ("The files name no classes; those of Fashion-MNIST were used.",)
    encoding = LabelEncoding.fit(train, names, files["train", "labels"].name)
    where = (files[part, "images"].name, files[part, "labels"].name)
    decoded = convert_arrays(images, labels, encoding, where)
    return DecodedPart(decoded.images, notes + decoded.notes)
