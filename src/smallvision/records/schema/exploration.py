"""The record of a look at the training split."""

from __future__ import annotations

from smallvision.records.schema.base import Count, Fraction, Record, Shape


class ChannelStatistics(Record):
    """The pixels of one channel, as fractions of full brightness."""

    name: str
    """`grey`, `red`, `green` or `blue`."""
    mean: float
    """Mean."""
    std: float
    """Standard deviation."""
    histogram: tuple[Fraction, ...]
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
    class_names: tuple[str, ...]
    """In label order."""
    counts: tuple[int, ...]
    """Images of each class."""
    imbalance: float
    """Images of the largest class divided by those of the smallest that has any."""
    channels: tuple[ChannelStatistics, ...]
    """Statistics of each channel."""
    duplicates: DuplicateCounts
    """Identical images."""
    implications: tuple[str, ...]
    """What follows for models and metrics, one sentence each."""


class NormalizationPictures(Record):
    """Strips of some images."""

    before: str
    """File name of the strip before normalisation."""
    after: str
    """File name of the strip after normalisation."""


class AugmentationPicture(Record):
    """An augmentation shown on one image."""

    name: str
    """Name of the augmentation."""
    sentence: str
    """What it does."""
    file: str
    """File name of a strip: the original, then variations."""


class ExplorationPictures(Record):
    """File names of all pictures; images are shown at their own size, 1 pixel apart."""

    random: str
    """A sheet of random images."""
    classes: tuple[str, ...]
    """A strip of each class; at most the first 100."""
    averages: tuple[str, ...]
    """The mean image of each class; at most the first 100."""
    normalization: NormalizationPictures
    """Images before and after normalisation."""
    augmentations: tuple[AugmentationPicture, ...]
    """A strip of each augmentation."""


class ExplorationRecord(ExplorationFigures):
    """`exploration/exploration.json`: the training split and what follows from it."""

    pictures: ExplorationPictures
    """File names of the pictures beside this file."""
