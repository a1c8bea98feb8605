"""A `DataSet`: images to train on, and a sealed test set."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import SealedTest


@dataclass(frozen=True, eq=False)
class DataSet:
    """Every loader returns one.

    Attributes:
        name: the name that the user asked for (`cifar10`), or that of the file or folder.
        source: where the images came from, for the records.
        train: the official training images; validation images are split off from these.
        test: the sealed test set; only `smallvision.evaluation` can open it.
        val: a validation set that the source declares (a `val/` folder), or None.
        mirror_safe: whether a left-right flip keeps the label; for digits it does not.
        notes: what the loader did that a person should know, one sentence each.
    """

    name: str
    source: str
    train: ImageSet
    test: SealedTest
    val: ImageSet | None = None
    mirror_safe: bool = True
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"DataSet({self.name!r}, train={self.train!r}, test={self.test!r})"
