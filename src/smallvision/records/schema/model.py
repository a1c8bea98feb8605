"""The records of a saved model and of the cache of decoded images."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from smallvision.records.schema.base import (
    ClassNames,
    Count,
    FileName,
    Hash,
    Record,
    Shape,
    Texts,
)


class TtaRecord(Record):
    """Test-time augmentation of a saved model."""

    mirror: bool = False
    """Whether the mirror image is classified too."""
    shift: Count = 0
    """Pixels of the diagonal shifts in which uncertain images are classified too; 0 for none."""


class ModelRecord(Record):
    """`model/model.json`: a saved model, whose weights lie beside it."""

    model: dict[str, Any]
    """Name and settings of the network; an ensemble has `members`."""
    class_names: tuple[str, ...]
    """In label order."""
    shape: tuple[int, ...]
    """Channels, height and width of an image."""
    mean: tuple[float, ...]
    """Mean of each channel of the training split."""
    std: tuple[float, ...]
    """Standard deviation of each channel of the training split."""
    temperature: float
    """Divisor of the logits, from validation."""
    tta: TtaRecord
    """Test-time augmentation."""
    epoch: Count
    """Epoch of the weights."""


class Manifest(Record):
    """`manifest.json`: written last, so that a folder which has it is complete."""

    files: Annotated[dict[FileName, Hash], Field(max_length=1000)]
    """SHA-256 of each file, by file name."""


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
    bytes: Annotated[dict[Literal["images", "labels"], Count], Field(max_length=2)]
    """Sizes of the array files."""
