"""A `DataSet`: images to learn from, and a test set behind its seal."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import SealedTest


@dataclass(frozen=True, eq=False)
class DataSet:
    """What every loader returns: images to learn from, and a test set behind its seal.

    Attributes:
        name: what the user asked for (`cifar10`) or the folder's name.
        source: where the images came from, for the records.
        train: the official training images; validation is carved from these.
        test: the sealed test set; only `smallvision.evaluation` can open it.
        val: a validation set the source itself declared (`val/` folder), or None.
        mirror_safe: whether a left-right flip keeps the label (digits: no).
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
