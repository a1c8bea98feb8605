"""The record of a look at the training split."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    MOST,
    ClassCounts,
    ClassNames,
    Count,
    FileName,
    Fraction,
    Name,
    Record,
    Shape,
    Text,
    Texts,
    at_most,
    check_lengths,
)
from smallvision.records.schema.models.saved import OriginalSizesRecord

ChannelName: TypeAlias = Literal["grey", "red", "green", "blue"]


class ChannelStatistics(Record):
    """The pixels of one channel, as fractions of full brightness."""

    name: ChannelName
    """`grey`, `red`, `green` or `blue`."""
    mean: Fraction
    """Mean."""
    std: Fraction
    """Standard deviation."""
    histogram: Annotated[tuple[Fraction, ...], at_most(64, least=64)]
    """Share of the pixels in each of 64 levels; they sum to 1."""


class DuplicateCounts(Record):
    """Identical images."""

    groups: Count
    """Groups of identical images."""
    images: Count
    """Images in them."""


class ExplorationFigures(Record):
    """Counts and statistics of the training split, and what follows from them."""

    n: Count
    """Training images."""
    shape: Shape
    """Channels, height and width of an image."""
    class_names: ClassNames
    """In label order."""
    counts: ClassCounts
    """Images of each class."""
    imbalance: Annotated[float, Field(ge=1, le=MOST)]
    """Images of the largest class divided by those of the smallest that has any."""
    channels: Annotated[tuple[ChannelStatistics, ...], at_most(3, least=1)]
    """Statistics of each channel."""
    duplicates: DuplicateCounts
    """Identical images."""
    sizes: OriginalSizesRecord | None = None
    """Sizes of all training pictures before they were resized."""
    implications: Texts
    """What follows for models and metrics, one sentence each."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Each class has a count."""
        check_lengths(class_names=len(self.class_names), counts=len(self.counts))
        return self


class NormalizationPictures(Record):
    """Strips of some images."""

    before: FileName
    """File name of the strip before normalisation."""
    after: FileName
    """File name of the strip after normalisation."""


class AugmentationPicture(Record):
    """An augmentation shown on one image."""

    name: Name
    """Name of the augmentation."""
    sentence: Text
    """What it does."""
    file: FileName
    """File name of a strip: the original, then variations."""


class ExplorationPictures(Record):
    """File names of all pictures; images are shown at their own size, 1 pixel apart."""

    random: FileName
    """A sheet of random images."""
    classes: Annotated[tuple[FileName, ...], at_most(100)]
    """A strip of each class; at most the first 100."""
    averages: Annotated[tuple[FileName, ...], at_most(100)]
    """The mean image of each class; at most the first 100."""
    normalization: NormalizationPictures
    """Images before and after normalisation."""
    augmentations: Annotated[tuple[AugmentationPicture, ...], at_most(1000)]
    """A strip of each augmentation."""

    def list_files(self) -> list[str]:
        """The names of all pictures."""
        return [
            self.random,
            *self.classes,
            *self.averages,
            self.normalization.before,
            self.normalization.after,
            *(augmentation.file for augmentation in self.augmentations),
        ]


class ExplorationRecord(ExplorationFigures):
    """`exploration/exploration.json`: the training split and what follows from it."""

    pictures: ExplorationPictures
    """File names of the pictures beside this file."""
