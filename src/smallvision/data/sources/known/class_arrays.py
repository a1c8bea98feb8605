"""A `.npy` file of images for each class, as Quick, Draw! has its bitmaps (`cat.npy`, `dog.npy`).

Source: https://github.com/googlecreativelab/quickdraw-dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.labels import sort_names
from smallvision.data.decoding.npz_file import join_rows, open_npy
from smallvision.data.decoding.resize import Preparation
from smallvision.data.sources.arrays import PixelScale, pair_up, take_images
from smallvision.data.sources.npz import list_npy
from smallvision.data.sources.source import (
    DecodedPart,
    Layout,
    Part,
    SourceOptions,
    tell_part,
)
from smallvision.errors import DataError
from smallvision.shapes import Shape

Files: TypeAlias = dict[str, Path]  # the name of a class -> the file of its images


class ClassArraysSource:
    """A folder of `.npy` files, one for each class, or of folders of parts that hold such files."""

    expects = "a folder of .npy files, one for each class"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe a folder without reading images; see `Source`.

        Raises:
            DataError: a part has a class that the training part lacks.
        """
        if not place.is_dir():
            return None
        parts: dict[Part, Files] = {"train": _list_alone(place)}
        if not parts["train"]:
            parts = {
                part: files
                for folder in sorted(place.iterdir())
                if folder.is_dir() and (part := tell_part(folder.name))
                if (files := _list_alone(folder))
            }
        train = parts.get("train", {})
        if len(train) < 2 or any(tell_part(name) for name in train):
            return None
        for part, files in parts.items():
            for name in files:
                if name not in train:
                    raise DataError(f"{part} has a class '{name}' that train lacks")
        return _lay_out(place, parts)


def _list_alone(folder: Path) -> Files:
    """The `.npy` files in a folder; none where pictures or folders lie beside what is computed."""
    shown = [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]
    others = any(path.is_dir() or path.name.lower().endswith(SUFFIXES) for path in shown)
    return {} if others else list_npy(folder)


def _lay_out(place: Path, parts: Mapping[Part, Files], like: Preparation | None = None) -> Layout:
    class_names = sort_names([*parts["train"]])
    return Layout(
        source="npy files, one for each class",
        parts={
            part: partial(_read_part, files, class_names, None if part == "train" else like)
            for part, files in parts.items()
        },
        place=place,
        files=tuple(path for files in parts.values() for path in files.values()),
        prepare=partial(_lay_out, place, parts),
    )


def _read_part(
    files: Files, class_names: tuple[str, ...], like: Preparation | None, _: Shape | None
) -> DecodedPart:
    names = [name for name in class_names if name in files]
    with open_npy(files) as arrays:
        claims = {name: arrays.claim(name) for name in names}
        first = claims[names[0]]
        for name, claim in claims.items():
            if (claim.shape[1:], claim.dtype) != (first.shape[1:], first.dtype):
                raise DataError(
                    f"{files[name].name} holds {claim.dtype} {claim.shape}, "
                    f"{files[names[0]].name} {first.dtype} {first.shape}; expected images of the "
                    "same size and type for each class"
                )
        counts = [claims[name].shape[0] if claims[name].shape else 0 for name in names]
        labels = np.repeat([class_names.index(name) for name in names], counts)
        scale = PixelScale() if like is None else PixelScale(bits=like.bits)
        images = join_rows([arrays.rows(name) for name in names])
        taken = take_images(images, "images", scale)
        return pair_up(taken, labels.astype(np.int64), class_names, ("images", "labels"))
