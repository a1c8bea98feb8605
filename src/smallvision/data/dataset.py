"""A `DataSet`: images to train on, and a sealed test set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from smallvision.data.decoding.resize import OriginalSizes, Preparation
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import SealedTest
from smallvision.data.sources.source import LeftOut, SourceOptions
from smallvision.shapes import Labels


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
        left_out: what lies in the source and is in none of the parts, by reason.
        groups: one word for each training image, or None; images with the same word stay on one
            side of each split.
        alike: int64 `(N,)`, one number for training images that look alike and stay on one side
            of each split; None where nobody searched for these.
        place: the file or folder that was read, or None for arrays and installed packages.
        known_as: the name of a named data set (`cifar10`), or None for any other.
        carved: whether the test images were set aside from training images.
        options: what the user asked of the source.
        preparation: how pictures became images, or None where the source holds images.
        sizes: of the training pictures before they were resized, test images that were carved from
            them included.

    >>> import smallvision as sv
    >>> data = sv.load_data("digits")
    >>> data.name, data.train, data.val is None
    ('digits', ImageSet(1,438 grey images, 8x8, 10 classes), True)
    >>> data.notes
    ('359 images were set aside as the test set and sealed.',)
    """

    name: str
    source: str
    train: ImageSet
    test: SealedTest
    val: ImageSet | None = None
    mirror_safe: bool = True
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    groups: tuple[str, ...] | None = None
    alike: Labels | None = None
    place: Path | None = None
    known_as: str | None = None
    carved: bool = False
    options: SourceOptions = field(default_factory=SourceOptions)
    preparation: Preparation | None = None
    sizes: OriginalSizes | None = None

    def __repr__(self) -> str:
        return f"DataSet({self.name!r}, train={self.train!r}, test={self.test!r})"
