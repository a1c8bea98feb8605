"""The records of a saved model and of the cache of decoded images."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from smallvision.records.schema.base import Count, Record, Shape
from smallvision.records.schema.measures import Temperature
from smallvision.records.schema.settings.networks import NetworkSettings
from smallvision.shapes import MAX_CLASSES, MAX_NAME, MAX_SIZE, MIN_CLASSES, MIN_SIZE


def check_shape(shape: Shape) -> Shape:
    """Refuse a shape that no images have."""
    if shape[0] not in (1, 3) or not all(MIN_SIZE <= side <= MAX_SIZE for side in shape[1:]):
        raise PydanticCustomError(
            "shape", f"expected 1 or 3 channels of {MIN_SIZE} to {MAX_SIZE} pixels a side"
        )
    return shape


def check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse one name for two classes."""
    if len(set(names)) != len(names):
        raise PydanticCustomError("names", "expected a name of its own for each class")
    return names


ClassNames = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=MAX_NAME)], ...],
    Field(min_length=MIN_CLASSES, max_length=MAX_CLASSES),
    AfterValidator(check_names),
]
# Of pixels in units of [0, 1], as `stats.channels` measures them: a mean may be rounded up, and a
# deviation is at least that of one byte.
Mean = Annotated[float, Field(ge=0, le=1.001)]
Deviation = Annotated[float, Field(ge=0.001, le=1)]


class TtaRecord(Record):
    """Test-time augmentation of a saved model."""

    mirror: bool = False
    """Whether the mirror image is classified too."""
    shift: Annotated[int, Field(ge=0, lt=MAX_SIZE)] = 0
    """Pixels of the diagonal shifts in which uncertain images are classified too; 0 for none."""


class ModelRecord(Record):
    """`model/model.json`: a saved model, whose weights lie beside it."""

    model: NetworkSettings = Field(discriminator="name")
    """Name of the network and its settings, as in a recipe; an ensemble has `members`."""
    class_names: ClassNames
    """In label order."""
    shape: Annotated[Shape, AfterValidator(check_shape)]
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

    @model_validator(mode="after")
    def check_agreement(self) -> Self:
        """Refuse fields that do not belong together."""
        channels, *sides = self.shape
        if {len(self.mean), len(self.std)} != {channels}:
            raise PydanticCustomError(
                "channels",
                f"'mean' has {len(self.mean)} numbers and 'std' {len(self.std)}; expected one for "
                f"each of {channels} channels",
            )
        if self.tta.shift >= min(sides):
            raise PydanticCustomError(
                "shift",
                f"'tta.shift' is {self.tta.shift} pixels; expected fewer than the "
                f"{min(sides)} of an image",
            )
        return self


class Manifest(Record):
    """`manifest.json`: written last, so that a folder which has it is complete."""

    files: dict[str, str]
    """SHA-256 of each file, by file name."""


class CachedPart(Record):
    """The decoded images of one part of a source, in the cache."""

    stamp: str
    """Hash of names, sizes and times of the source's files."""
    n: Count
    """Number of images."""
    shape: Shape
    """Channels, height and width of an image."""
    class_names: tuple[str, ...]
    """In label order."""
    fingerprint: str
    """Fingerprint of the decoded images."""
    notes: tuple[str, ...]
    """What the reader did that a person should know, one sentence each."""
    bytes: dict[str, int]
    """Sizes of the array files."""
