"""`from_arrays`: from arrays in memory to a `DataSet`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from smallvision.data.dataset import DataSet
from smallvision.data.decoding.labels import Naming
from smallvision.data.loading.assemble import assemble
from smallvision.data.sources.arrays import arrays_layout
from smallvision.data.sources.source import Part
from smallvision.errors import DataError


def from_arrays(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    test_images: npt.ArrayLike | None = None,
    test_labels: npt.ArrayLike | None = None,
    name: str = "arrays",
    mirror_safe: bool = True,
    seed: int = 0,
) -> DataSet:
    """Make a data set from arrays; the test images are sealed at once.

    Args:
        images: `(N, H, W)`, `(N, H, W, C)` or `(N, C, H, W)`; whole numbers 0 to 255 or
            fractions 0 to 1. Copied.
        labels: `(N,)` whole numbers or strings. With `class_names`, numbers are positions in it;
            without, each distinct label is a class.
        class_names: K names, or None to name the classes after their labels.
        test_images: as `images`; without them 20 % of each class becomes the test set.
        test_labels: as `labels`.
        name: what to call the data set.
        mirror_safe: whether a left-right flip keeps the label.
        seed: chooses the test images where none are given.

    Raises:
        DataError: a shape, type or value is not as above, or the lengths differ.
    """
    if (test_images is None) != (test_labels is None):
        raise DataError("test_images and test_labels go together; one of them is missing")
    given: dict[Part, tuple[Any, Any]] = {"train": (images, labels)}
    if test_images is not None:
        given["test"] = (test_images, test_labels)
    naming = Naming.of(labels, class_names, "labels")
    return assemble(arrays_layout(given, naming), name=name, seed=seed, mirror_safe=mirror_safe)
