"""The records of a saved model and of the cache of decoded images."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    ClassNames,
    Count,
    FileName,
    Fraction,
    Hash,
    LeftOutRecords,
    Number,
    Probability,
    Record,
    Shape,
    Temperature,
    Texts,
    at_most,
    check_lengths,
)
from smallvision.records.schema.settings.networks import NetworkSettings
from smallvision.shapes import MAX_SIZE, Fit

# Of pixels in units of [0, 1], as `stats.channels` measures them: a mean may be rounded up, and a
# deviation is at least that of one byte.
Mean = Annotated[float, Field(ge=0, le=1.001)]
Deviation = Annotated[float, Field(ge=0.001, le=1)]


Bits = Annotated[int, Field(ge=8, le=16)]
Side = Annotated[int, Field(ge=1, le=10**9)]
Size = tuple[Side, Side]


class OriginalSizesRecord(Record):
    """Sizes of pictures before they were resized: width and height in pixels."""

    distinct: Count
    """Number of different sizes."""
    smallest: Size
    """The size with the fewest pixels."""
    middle: Size
    """Median width and median height."""
    largest: Size
    """The size with the most pixels."""


class PreparationRecord(Record):
    """How pictures became images of one shape."""

    fit: Fit
    """How pictures of another shape were fitted: crop, pad or stretch."""
    bits: Bits
    """Of values of 16 bits, how many hold the largest value of the training images."""


class TtaRecord(Record):
    """Test-time augmentation of a saved model."""

    mirror: bool = False
    """Whether the mirror image is classified too."""
    shift: Annotated[int, Field(ge=0, lt=MAX_SIZE)] = 0
    """Pixels of the diagonal shifts in which uncertain images are classified too; 0 for none."""


class UnlikeRecord(Record):
    """From where on an image counts as unlike all that a model was trained on."""

    limit: Annotated[float, Field(ge=-1e9, le=1e9)]
    """The energy above which it does; 95 % of the validation images are at most there."""
    n: Number
    """Validation images."""


class PredictionSetsRecord(Record):
    """Which classes belong to the prediction set of an image, for some error rates."""

    error_rates: Annotated[tuple[Fraction, ...], at_most(100, least=1)]
    """Shares of images whose set may lack the right class."""
    least_probabilities: Annotated[tuple[Probability, ...], at_most(100, least=1)]
    """The probability from which a class belongs to a set, for each error rate; 0 where the
    validation images are too few, and the set holds all classes."""
    n: Number
    """Validation images."""

    @model_validator(mode="after")
    def check_agreement(self) -> Self:
        """Refuse lists of different lengths."""
        check_lengths(
            error_rates=len(self.error_rates), least_probabilities=len(self.least_probabilities)
        )
        return self


class ModelRecord(Record):
    """`model/model.json`: a saved model, whose weights lie beside it."""

    model: NetworkSettings = Field(discriminator="name")
    """Name of the network and its settings, as in a recipe; an ensemble has `members`."""
    class_names: ClassNames
    """In label order."""
    shape: Shape
    """Channels, height and width of an image."""
    mean: tuple[Mean, ...]
    """Mean of each channel of the training split."""
    std: tuple[Deviation, ...]
    """Standard deviation of each channel of the training split."""
    temperature: Temperature
    """Divisor of the logits, from validation."""
    tta: TtaRecord
    """Test-time augmentation."""
    epoch: Count
    """Epoch of the weights."""
    fit: Fit = "crop"
    """How pictures of another shape were fitted to that of the images."""
    bits: Bits = 16
    """Of values of 16 bits, how many hold the largest value of the training images."""
    unlike: UnlikeRecord | None = None
    """When an image is unlike all that it was trained on; null where no validation images told."""
    sets: PredictionSetsRecord | None = None
    """What a class takes to be in a prediction set; null likewise."""

    @model_validator(mode="after")
    def check_agreement(self) -> Self:
        """Refuse fields that do not belong together."""
        channels, *sides = self.shape
        check_lengths(mean=len(self.mean), std=len(self.std), channels=channels)
        if self.tta.shift >= min(sides):
            raise ValueError(
                f"expected a shift of fewer than the {min(sides)} pixels of an image, "
                f"got {self.tta.shift}"
            )
        return self


class Manifest(Record):
    """`manifest.json`: written last, so that a folder which has it is complete."""

    files: dict[FileName, Hash]
    """SHA-256 of each file, by file name."""


CachedArray = Literal["images", "labels", "origins", "groups", "files"]


class CachedPart(Record):
    """The decoded images of one part of a source, in the cache."""

    stamp: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Hash of names, sizes and times of the source's files."""
    n: Count
    """Number of images."""
    shape: Shape
    """Channels, height and width of an image."""
    class_names: ClassNames
    """In label order."""
    fingerprint: Hash
    """Fingerprint of the decoded images."""
    notes: Texts
    """What the reader did that a person should know, one sentence each."""
    left_out: LeftOutRecords = ()
    """What of this part could not be read, by reason."""
    origin: Hash
    """Fingerprint of the bytes that the images were decoded from, in any order."""
    preparation: PreparationRecord | None = None
    """How pictures became images, of a source of pictures."""
    sizes: OriginalSizesRecord | None = None
    """Of the pictures before they were resized."""
    bytes: dict[CachedArray, Count]
    """Sizes of the array files."""


class UnpackedArchive(Record):
    """`archive.json` in the cache: written last, so that a folder which has it is complete."""

    left_out: LeftOutRecords
    """What was not unpacked, by reason: links, special files, and names that lead elsewhere."""
