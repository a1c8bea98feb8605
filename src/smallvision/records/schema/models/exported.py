"""The records of exported models."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    Channels,
    ClassNames,
    Count,
    Difference,
    FileName,
    Hash,
    Name,
    Number,
    Record,
    Shape,
    Side,
    Temperature,
    Text,
    Texts,
    Time,
    at_most,
    check_lengths,
)
from smallvision.records.schema.measures import Rate
from smallvision.records.schema.models.saved import (
    Bits,
    PredictionSetsRecord,
    TtaRecord,
    UnlikeRecord,
)
from smallvision.records.schema.settings.networks import MAX_MEMBERS
from smallvision.shapes import Fit

Layout: TypeAlias = Literal["nhwc", "nchw"]
WeightType: TypeAlias = Literal["fp32", "fp16", "int8"]
ExportTarget: TypeAlias = Literal["onnx", "torch", "hub"]


class ServedModel(Record):
    """What an exported model is and how its answers are read, kept inside its file.

    In an ONNX file it is the entry `smallvision` of the metadata, in a torch program the extra
    file `smallvision.json`.
    """

    name: Name
    """Name of the model."""
    class_names: ClassNames
    """In label order."""
    shape: Shape
    """Channels, height and width of an image."""
    layout: Layout
    """Order of the input's dimensions: N images, height, width and channels, or channels first."""
    weights: WeightType
    """Type that the weights are stored as."""
    members: Annotated[int, Field(ge=1, le=MAX_MEMBERS)]
    """Networks that answer as one."""
    temperature: Temperature
    """Divisor of the logits, from validation; part of the graph."""
    tta: TtaRecord
    """Test-time augmentation: mirroring is part of the graph, shifting is left to the caller."""
    uncertain: Annotated[float, Field(ge=0, le=1e6)]
    """Where the two largest logits of a member differ by less, the image is shifted too."""
    fit: Fit
    """How pictures of another shape are fitted to that of the images."""
    bits: Bits
    """Of values of 16 bits, how many hold the largest value of the training images."""
    unlike: UnlikeRecord | None
    """When an image is unlike all that it was trained on; null where no validation images told."""
    sets: PredictionSetsRecord | None
    """What a class takes to be in a prediction set; null likewise."""
    fingerprint: Hash
    """Fingerprint of the saved model that was exported."""
    licence: Text
    """Under which the model is passed on, as its exporter says; empty where nothing was said."""


class ExportCheck(Record):
    """How the answers of an exported file compare with those of the model it came from."""

    images: Literal["validation", "labelled", "made up"]
    """What was classified: validation images of the run; `labelled` images that the model may have
    been trained on, since its run trained it once more with them, or it has no run and the data set
    was named; or random patterns where neither were at hand."""
    n: Number
    """Number of images."""
    same_class: Count
    """Images that both give the same class, or between whose classes 0.0001 decide."""
    largest_difference: Annotated[float, Field(ge=0, le=1.0001)]
    """Largest absolute difference of a probability."""

    @model_validator(mode="after")
    def check_agreement(self) -> Self:
        """Refuse more images of the same class than there are images."""
        if self.same_class > self.n:
            raise ValueError(f"expected a same_class of at most {self.n}, the number of images")
        return self


class ExportRecord(Record):
    """`export.json`: what was exported, and how it was checked."""

    target: ExportTarget
    """Format."""
    time: Time
    """When it was exported."""
    source: Text
    """Name of the model's folder, without the path that leads to it."""
    model: ServedModel
    """The model, as its file describes it."""
    files: Annotated[tuple[FileName, ...], at_most(100, least=1)]
    """The files beside this record."""
    hashes: Annotated[tuple[Hash, ...], at_most(100, least=1)]
    """SHA-256 of each file."""
    sizes: Annotated[tuple[Number, ...], at_most(100, least=1)]
    """Bytes of each file."""
    check: ExportCheck
    """Against the model itself."""
    val_before: Rate | None
    """Accuracy of the model on the images of `check`, by their labels; null of made up images."""
    val: Rate | None
    """The same of the exported file. It tells of new images only where `check` has validation
    images."""
    loss_of_accuracy: Difference | None
    """The first minus the second."""
    notes: Texts
    """What a person should know of it."""

    @model_validator(mode="after")
    def check_files(self) -> Self:
        """Each file has a hash and a size."""
        check_lengths(files=len(self.files), hashes=len(self.hashes), sizes=len(self.sizes))
        return self


class HubConfig(Record):
    """`config.json` of a model on the Hugging Face Hub, whose tools read the usual fields."""

    model_type: Literal["smallvision"] = "smallvision"
    """The library that loads the model."""
    architectures: Annotated[tuple[Name, ...], at_most(1, least=1)]
    """Name of the network; `model.json` has its settings."""
    id2label: dict[Text, Name]
    """Class names by their numbers."""
    label2id: dict[Name, Count]
    """Numbers of the classes by their names."""
    num_channels: Channels
    """1 for grey images, 3 for colour."""
    image_size: tuple[Side, Side]
    """Height and width of an image in pixels."""
