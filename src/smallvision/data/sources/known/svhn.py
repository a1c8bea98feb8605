"""Street View House Numbers, format 2: cropped digits in `.mat` files.

Source: http://ufldl.stanford.edu/housenumbers.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from smallvision.data.decoding.formats.matlab import read_arrays
from smallvision.data.decoding.labels import check_lengths
from smallvision.data.imageset import ImageSet
from smallvision.data.sources.source import DecodedPart, Layout, LeftOut, Part, SourceOptions
from smallvision.errors import DataError
from smallvision.shapes import Shape

FILES: dict[Part, str] = {"train": "train_32x32.mat", "test": "test_32x32.mat"}
EXTRA = "extra_32x32.mat"
CLASSES = tuple("0123456789")


class SvhnSource:
    """`train_32x32.mat` and `test_32x32.mat`, or a folder that holds them."""

    expects = "the .mat files of SVHN (train_32x32.mat)"
    takes: tuple[str, ...] = ()

    def recognize(self, place: Path, _options: SourceOptions) -> Layout | None:
        """Describe a file or folder without reading images; see `Source`."""
        if place.is_file() and place.name in (*FILES.values(), EXTRA):
            found: dict[Part, Path] = {"train": place}
        else:
            found = {part: place / name for part, name in FILES.items() if (place / name).is_file()}
        if "train" not in found:
            return None
        extra = place / EXTRA
        return Layout(
            source="SVHN files",
            parts={part: partial(_read_part, path) for part, path in found.items()},
            place=place,
            files=tuple(found.values()),
            left_out=(LeftOut("a file of further images", 1, EXTRA),) if extra.is_file() else (),
            mirror_safe=False,
        )


def _read_part(path: Path, _: Shape | None) -> DecodedPart:
    arrays = read_arrays(path, ("X", "y"))
    images, labels = arrays["X"], arrays["y"].ravel()
    if images.ndim != 4 or images.shape[2] != 3 or images.dtype != np.uint8:
        raise DataError(
            f"{path.name}: X has shape {images.shape} and type {images.dtype}; expected bytes "
            "(H, W, 3, N)"
        )
    check_lengths(images.shape[3], len(labels), path.name)
    if len(labels) == 0 or labels.min() < 0 or labels.max() > 10:
        raise DataError(f"{path.name}: y holds other labels than 1 to 10")
    numbers = labels.astype(np.int64) % 10  # the digit 0 is label 10
    pixels = np.ascontiguousarray(images.transpose(3, 2, 0, 1))
    return DecodedPart(ImageSet(pixels, numbers, CLASSES))
