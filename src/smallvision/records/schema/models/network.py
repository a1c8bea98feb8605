"""The records of what a network is made of, and of all that is known of a finished model."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.display import Displayed
from smallvision.records.schema.base import (
    ClassNames,
    Count,
    Fraction,
    Hash,
    Interval,
    Latency,
    Name,
    Number,
    Record,
    Shape,
    Temperature,
    Text,
    Texts,
    at_most,
)
from smallvision.records.schema.measures import Rate
from smallvision.records.schema.models.saved import (
    Deviation,
    Mean,
    PredictionSetsRecord,
    TtaRecord,
    UnlikeRecord,
)
from smallvision.records.schema.settings.networks import MAX_MEMBERS
from smallvision.shapes import Fit

MOST_LAYERS = 10_000
ModelKind: TypeAlias = Literal["trained", "ensemble", "refit", "all_images", "saved"]


class LayerRecord(Record):
    """A layer with weights."""

    name: Name
    """Its place in the network, as in the names of its weights."""
    kind: Name
    """What it computes, such as `3x3 convolution`."""
    output: Annotated[tuple[Number, ...], at_most(3, least=1)]
    """Shape of what it makes of one image: channels, height and width, or the number of values."""
    parameters: Count
    """Parameter count, parameters that are not trained included."""
    multiplications: Count
    """Multiplications of its matrix products for one image."""


class NetworkPart(Record):
    """Networks of one design among those that answer together."""

    count: Annotated[int, Field(ge=1, le=MAX_MEMBERS)]
    """How many there are."""
    layers: Annotated[tuple[LayerRecord, ...], at_most(MOST_LAYERS, least=1)]
    """Layers of one of them, in the order of computation."""


class NetworkRecord(Displayed, Record):
    """`network.json`: the layers of a run's model."""

    parts: Annotated[tuple[NetworkPart, ...], at_most(MAX_MEMBERS, least=1)]
    """A single network, or the members of an ensemble, those of one design together."""
    parameters: Number
    """Parameter count of all."""
    multiplications: Count
    """Multiplications of all for one look at an image."""

    @model_validator(mode="after")
    def check_totals(self) -> Self:
        """The layers add up."""
        for name in ("parameters", "multiplications"):
            total = sum(
                part.count * sum(getattr(layer, name) for layer in part.layers)
                for part in self.parts
            )
            if total != getattr(self, name):
                raise ValueError(f"expected {name} that add up to {total}")
        return self


class TechniqueSource(Record):
    """Where a technique of a recipe comes from."""

    technique: Name
    """Name of the technique, as a recipe has it."""
    source: Text
    """The paper."""


class LatencyFigure(Record):
    """The time to classify one image."""

    seconds: Latency
    """Median time."""
    measured: bool
    """Whether it was measured just now, on random patterns; else the run measured it when it ended,
    on validation images."""
    computed_on: Text
    """Device, precision and threads."""


class TestFigure(Record):
    """What the opened test images say of a model."""

    __test__ = False  # pytest collects classes that begin with Test

    accuracy: Fraction
    """Share of the test images classified correctly."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Number
    """Test images."""
    openings: Count
    """Openings of the test set so far, by this study or run."""
    openings_on_machine: Count | None
    """Openings of the same images by anything on that machine; null where nothing was kept."""


class TrainingImages(Record):
    """The images that a model was trained on."""

    name: Text
    """Name of the data set."""
    train_n: Count
    """Images to train on."""
    val_n: Count
    """Images to choose on; of a refit, and of a model of all images, trained on as well."""
    split: Text
    """How the two were told apart, in words."""


class ModelSheet(Displayed, Record):
    """What `smallvision show` tells of a model; it is written nowhere."""

    model: Text
    """Folder or name of the model."""
    kind: ModelKind
    """As in the status of its run; `saved` is a model without a run."""
    name: Name
    """Name of its run, or of its network."""
    fingerprint: Hash
    """Fingerprint of the saved model."""
    network: NetworkRecord
    """Its layers."""
    size_bytes: Number
    """Size of `model.safetensors`."""
    latency: LatencyFigure
    """The time for one image."""
    shape: Shape
    """Channels, height and width of an image."""
    fit: Fit
    """How pictures of another shape are fitted to that of the images."""
    class_names: ClassNames
    """In label order."""
    mean: tuple[Mean, ...]
    """Mean of each channel of the training images, which is subtracted."""
    std: tuple[Deviation, ...]
    """Standard deviation of each channel, by which the difference is divided."""
    temperature: Temperature
    """Divisor of the logits, from validation."""
    tta: TtaRecord
    """Test-time augmentation."""
    unlike: UnlikeRecord | None
    """When an image is unlike all that it was trained on; null where no validation images told."""
    sets: PredictionSetsRecord | None
    """What a class takes to be in a prediction set; null likewise."""
    data: TrainingImages | None
    """Its training images; null where no record tells."""
    train: Rate | None
    """Accuracy on clean training images; null where no record tells."""
    val: Rate | None
    """Accuracy on validation images; of a refit, that of the same recipe without these images."""
    test: TestFigure | None
    """Accuracy on test images; null where they were not opened for these weights."""
    licence: Text | None
    """Licence of the model; null where nothing says it."""
    methods: Texts
    """The model and its training in words, sentence by sentence, for a section on methods."""
    sources: Annotated[tuple[TechniqueSource, ...], at_most(1000)]
    """Where its techniques come from."""
