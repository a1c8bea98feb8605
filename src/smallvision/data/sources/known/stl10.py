"""STL-10 in its binary files: 96x96 pixels, ten classes, and many images without a label.

Source: https://cs.stanford.edu/~acoates/stl10.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.labels import check_labels, check_lengths
from smallvision.data.decoding.regular import read_regular
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.source import DecodedPart, Layout, LeftOut, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Shape

SIDE = 96
PIXELS = 3 * SIDE * SIDE
MAX_BYTES = 1_000_000_000  # the largest file with labels has 221 million
MAX_NAMES_BYTES = 10_000
CLASSES = (
    *("airplane", "bird", "car", "cat", "deer"),
    *("dog", "horse", "monkey", "ship", "truck"),
)


class Stl10Source:
    """`train_X.bin`, `train_y.bin` and the same for test, in a folder."""

    expects = "a folder of STL-10 (train_X.bin)"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe a folder without reading images; see `Source`."""
        if not (place / "train_X.bin").is_file():
            return None
        parts: list[Part] = ["train"]
        if (place / "test_X.bin").is_file():
            parts.append("test")
        left_out: tuple[LeftOut, ...] = ()
        unlabeled = place / "unlabeled_X.bin"
        if unlabeled.is_file():
            count = unlabeled.stat().st_size // PIXELS
            left_out = (LeftOut("no label", count, unlabeled.name),) if count else ()
        return Layout(
            source="STL-10 files",
            parts={part: partial(_read_part, place, part) for part in parts},
            place=place,
            files=tuple(
                place / name
                for name in (*(f"{p}_{x}.bin" for p in parts for x in "Xy"), "class_names.txt")
            ),
            left_out=left_out,
        )


def _read_part(place: Path, part: Part, _: Shape | None) -> DecodedPart:
    names: tuple[str, ...] = CLASSES
    if (place / "class_names.txt").exists():
        content = read_regular(place / "class_names.txt", "class_names.txt", most=MAX_NAMES_BYTES)
        names = tuple(content.decode("utf-8", "replace").split())
    pixels = read_regular(place / f"{part}_X.bin", f"{part}_X.bin", most=MAX_BYTES)
    marks = read_regular(place / f"{part}_y.bin", f"{part}_y.bin", most=MAX_BYTES // PIXELS)
    if len(pixels) % PIXELS:
        raise DataError(
            f"{part}_X.bin has {len(pixels):,} bytes, which is no multiple of {PIXELS:,} (one "
            "image); it was cut short: get the original"
        )
    check_lengths(len(pixels) // PIXELS, len(marks), f"{part}_X.bin")
    labels = np.frombuffer(marks, dtype=np.uint8).astype(np.int64) - 1
    columns = np.frombuffer(pixels, dtype=np.uint8).reshape(-1, 3, SIDE, SIDE)
    images = np.ascontiguousarray(columns.transpose(0, 1, 3, 2))
    return DecodedPart(ImageSet(images, check_labels(labels, len(names), f"{part}_y.bin"), names))
