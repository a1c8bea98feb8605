"""The record of a look at the training split."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    MOST,
    ClassCounts,
    ClassNames,
    ClassNumber,
    Count,
    FileName,
    Fraction,
    Interval,
    LeftOutRecords,
    Name,
    Number,
    PathText,
    Record,
    Shape,
    Side,
    Text,
    Texts,
    at_most,
    check_lengths,
)
from smallvision.records.schema.models.saved import OriginalSizesRecord
from smallvision.shapes import MAX_CLASSES

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


class AverageRecall(Record):
    """A class, and whether its average image tells its images from those of other classes."""

    n: Count
    """Images of the class."""
    hits: Count
    """Images that are nearer to the average of their class than to that of any other."""
    interval: Interval | None
    """Wilson's 95 % interval of their share; null without images."""
    others: Fraction
    """Share of the images of other classes that are nearest to this average."""
    p: Fraction | None
    """p-value of the hypothesis that the average draws no larger a share of its own images than of
    the others: Fisher's exact test on one side, corrected for all classes after Holm; null without
    images."""
    taken_for: ClassNumber | None
    """The other class whose average most of the rest are nearest to; null without any rest."""

    @property
    def recall(self) -> float:
        """Share of the images that are nearest to the average of their class; 0 without images."""
        return self.hits / self.n if self.n else 0.0


class AverageClassifier(Record):
    """A classifier that knows only the average image of each class: the nearest one decides.

    Distances are Euclidean, over all pixels, or those of images reduced to 32 pixels a side. Each
    image is left out of the average of its own class.
    """

    balanced_accuracy: Fraction
    """Mean of the classes' recalls; guessing reaches 1 divided by their number."""
    classes: Annotated[tuple[AverageRecall, ...], at_most(MAX_CLASSES)]
    """Each class, in label order."""

    @property
    def guess(self) -> float:
        """Share of the images of a class that guessing finds."""
        return 1 / max(1, sum(one.n > 0 for one in self.classes))

    def tells(self, one: AverageRecall) -> bool:
        """Whether an average tells its class, at the 5 % level.

        It finds more of its images than guessing, and draws more of these than of all others.
        """
        above = one.interval is not None and one.interval[0] > self.guess
        return above and one.p is not None and one.p < 0.05


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
    averages: AverageClassifier | None = None
    """What the average images tell apart; null in records of before it was measured."""
    implications: Texts
    """What follows for models and metrics, one sentence each."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Each class has a count."""
        check_lengths(class_names=len(self.class_names), counts=len(self.counts))
        if self.averages:
            check_lengths(counts=len(self.counts), averages=len(self.averages.classes))
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


class ExploredSource(Record):
    """What was understood of a source."""

    name: Text
    """What the user asked for, or the folder's name."""
    origin: Text
    """Where the images came from."""
    train_n: Count
    """Training images, before any split."""
    kept_n: Count
    """Images kept to validate on, which are not explored."""
    test_n: Count
    """Sealed test images, which are not explored either."""
    declared: bool
    """Whether the source says which images validate."""
    carved: bool
    """Whether the test images were set aside from the training images."""
    mirror_safe: bool
    """Whether a mirrored image keeps its class."""
    notes: Texts
    """What the loader did that a person should know, one sentence each."""
    left_out: LeftOutRecords
    """What lies in the source and in none of its parts, by reason."""


class ShownImage(Record):
    """A training image to look at."""

    number: Count
    """Its number among the training images of the data set, counted from 0."""
    label: ClassNumber
    """Number of its class."""
    source_file: PathText | None = None
    """Its file, as it is called inside the source; null where images are no files."""


class ImagePair(Record):
    """Two images that are alike."""

    first: ShownImage
    """The one with the smaller number."""
    second: ShownImage
    """The other."""
    file: FileName
    """File name of the two side by side."""


class AlikePairs(Record):
    """Images that occur twice, and images that nearly do."""

    conflicts: Count
    """Groups of identical images that have more than one class."""
    identical: Annotated[tuple[ImagePair, ...], at_most(100)]
    """Some identical images; those with different classes first."""
    searched: Count
    """Images whose near-duplicates were searched for among all; 0 where nobody searched."""
    found: Count
    """Images among these that have a near-duplicate which is not identical."""
    interval: Interval | None
    """95 % interval of their share; null where all images, or none, were searched for."""
    near: Annotated[tuple[ImagePair, ...], at_most(100)]
    """Some near-duplicates; those with different classes first."""


class MeasuredImage(ShownImage):
    """A training image with a property that was measured on it."""

    value: Annotated[float, Field(ge=0, le=100)]
    """Brightness or sharpness."""


class ExtremeImages(Record):
    """The images at one end of a property."""

    measure: Literal["brightness", "sharpness"]
    """Brightness: mean of grey in [0, 1]. Sharpness: variance of its Laplacian."""
    words: Text
    """What they are, such as `darkest`."""
    beyond: Count
    """Images at this end with a modified z-score beyond 3.5; of sharpness its logarithm counts."""
    images: Annotated[tuple[MeasuredImage, ...], at_most(100)]
    """The most extreme ones, the most extreme first."""
    file: FileName
    """File name of a strip of them, in this order."""


class MappedImage(ShownImage):
    """A training image on a map."""

    place: tuple[Fraction, Fraction]
    """Where it lies, from the left and from below."""


class ImageMap(Record):
    """Some training images, laid out so that those with similar pixels lie together."""

    file: FileName
    """A sheet of the images in their order, row by row, with one pixel between two of them."""
    width: Side
    """Pixels of an image on the sheet."""
    height: Side
    """The same."""
    columns: Number
    """Images in a row of the sheet."""
    same_class: Fraction
    """Share of the images whose nearest neighbour, by all pixels, is of their class."""
    chance: Fraction
    """What that share would be if neighbours had nothing to do with classes."""
    trustworthiness: Fraction | None
    """How far neighbours on the map are neighbours by their pixels; null for few images."""
    images: Annotated[tuple[MappedImage, ...], at_most(4000)]
    """A random sample, each class in proportion, at least one image of each."""


class CloserLook(Record):
    """What `smallvision explore` looks at besides, and studies do not."""

    source: ExploredSource
    """What was understood of the source."""
    pairs: AlikePairs
    """Images that occur twice, or nearly."""
    extremes: Annotated[tuple[ExtremeImages, ...], at_most(4)]
    """The darkest, brightest, blurriest and sharpest images."""
    map: ImageMap
    """Images laid out in the plane."""
    implications: Texts
    """What follows for training, one sentence each."""

    def list_shown(self) -> list[ShownImage]:
        """All images that are shown."""
        pairs = (*self.pairs.identical, *self.pairs.near)
        return [
            *(image for pair in pairs for image in (pair.first, pair.second)),
            *(image for group in self.extremes for image in group.images),
            *self.map.images,
        ]

    def list_files(self) -> list[str]:
        """The names of all pictures."""
        return [
            *(pair.file for pair in (*self.pairs.identical, *self.pairs.near)),
            *(group.file for group in self.extremes),
            self.map.file,
        ]


class ExplorationRecord(ExplorationFigures):
    """`exploration/exploration.json`: the training split and what follows from it."""

    pictures: ExplorationPictures
    """File names of the pictures beside this file."""
    closer: CloserLook | None = None
    """What `smallvision explore` looks at besides; null in a study."""

    @model_validator(mode="after")
    def check_labels(self) -> Self:
        """Each image that is shown has a class."""
        shown = self.closer.list_shown() if self.closer else ()
        if any(image.label >= len(self.class_names) for image in shown):
            raise ValueError("an image has a class that there is not")
        return self

    def list_files(self) -> list[str]:
        """The names of all pictures."""
        return [*self.pictures.list_files(), *(self.closer.list_files() if self.closer else ())]
