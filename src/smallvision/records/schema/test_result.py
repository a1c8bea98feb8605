"""The one test evaluation, and the ledger of all openings."""

from __future__ import annotations

from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    ClassCounts,
    ClassNames,
    Count,
    Fraction,
    Hash,
    Interval,
    Loss,
    Name,
    Number,
    Record,
    Text,
    Time,
    at_most,
    check_lengths,
)
from smallvision.records.schema.measures import (
    Calibration,
    ClassMeans,
    Rate,
    SetCoverage,
    UnlikeShare,
)
from smallvision.shapes import MAX_CLASSES

TopK: TypeAlias = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}$")]


class ClassScore(Record):
    """One row of the classification report."""

    name: Name
    """Class name."""
    precision: Fraction
    """Share of the images called so that are so; 0 for a class that is never predicted."""
    recall: Fraction
    """Share of the images that are so that are called so."""
    f1: Fraction
    """Harmonic mean of both."""
    support: Count
    """Images of the class."""


class MacroAverages(Record):
    """Means over the classes that have images."""

    precision: Fraction
    """Mean precision."""
    recall: Fraction
    """Mean recall."""
    f1: Fraction
    """Mean F1."""


class Scores(Record):
    """The figures of predictions on labelled images."""

    accuracy: Fraction
    """Share of the images classified correctly."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Count
    """Number of images."""
    loss: Loss
    """Log loss in nats."""
    topk: dict[TopK, Fraction]
    """Share of images whose label is among the k most probable classes, by k."""
    class_names: ClassNames
    """In label order."""
    per_class: Annotated[tuple[ClassScore, ...], at_most(MAX_CLASSES)]
    """One row for each class."""
    macro: MacroAverages
    """Means over the classes."""
    confusion: Annotated[tuple[ClassCounts, ...], at_most(MAX_CLASSES)]
    """`confusion[i][j]` counts the images of class i that are called class j."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Each class has a row of figures, and a row and a column of the confusions."""
        rows = {f"confusion.{i}": len(row) for i, row in enumerate(self.confusion)}
        check_lengths(
            class_names=len(self.class_names),
            per_class=len(self.per_class),
            confusion=len(self.confusion),
            **rows,
        )
        return self

    @property
    def rate(self) -> Rate:
        """The accuracy with its interval, n, loss and class means."""
        return Rate(
            accuracy=self.accuracy,
            interval=self.interval,
            n=self.n,
            loss=self.loss,
            by_class=self.by_class,
        )

    @property
    def by_class(self) -> ClassMeans:
        """The same images, every class counted alike."""
        supports = [row.support for row in self.per_class if row.support]
        return ClassMeans(
            balanced_accuracy=self.macro.recall,
            macro_f1=self.macro.f1,
            imbalance=max(supports, default=1) / min(supports, default=1),
        )


class NearDuplicates(Record):
    """Test images that are also among the training images of the data set, or nearly."""

    copies: Count
    """Test images with an identical training image."""
    alike: Count | None
    """Test images much like a training image, copies included; null where nobody searched."""
    n: Count
    """The other test images."""
    accuracy: Fraction | None = None
    """Accuracy on those; null where there are none."""
    interval: Interval | None = None
    """Wilson's 95 % interval."""
    sentence: Text
    """The same in words."""


class ModelScores(Scores):
    """The scores of one model on the opened test images."""

    weights: Hash
    """Fingerprint of the model that was tested: the result belongs to these weights alone."""
    calibration: Calibration
    """Measured on test images, with the temperature from validation."""
    val: Rate | None
    """The model's validation accuracy; null if it was not validated."""
    p_vs_val: Fraction | None
    """Fisher's exact test of the two accuracies."""
    differs_from_val: bool | None
    """Whether they differ at the 5 % level."""
    near_duplicates: NearDuplicates
    """Test images that the training images contain."""
    sets: Annotated[tuple[SetCoverage, ...], at_most(100)] = ()
    """Prediction sets, as they were fitted to validation images; none of a model without them."""
    unlike: UnlikeShare | None = None
    """Test images called unlike all that the model was trained on; null where it cannot tell."""


class TestRecord(ModelScores):
    """`test.json`: the test evaluation of the final model."""

    __test__ = False  # pytest collects classes that begin with Test

    model: Name
    """Name of the model."""
    time: Time
    """When the test set was opened."""
    openings: Count
    """Openings so far, by this study or run."""
    openings_on_machine: Count | None
    """Openings of the same images by anything on that machine; null where nothing could be kept."""
    data_fingerprint: Hash
    """Fingerprint of the test images."""
    refit: bool = False
    """Whether the model was trained on training and validation images."""
    validation_model: ModelScores | None = None
    """Of a refit: the same recipe trained on the training split alone, scored in this opening."""


class ValidationScores(Scores):
    """What `smallvision evaluate RUN --on val` tells; it is written nowhere."""

    model: Name
    """Name of the model."""
    calibration: Calibration
    """On validation images."""
    sets: Annotated[tuple[SetCoverage, ...], at_most(100)] = ()
    """Prediction sets on these images, to which they were fitted."""


class LedgerEntry(Record):
    """One line of `ledger.jsonl`: an opening of the test set."""

    opening: Number
    """Number of the opening, from 1."""
    time: Time
    """When it was opened."""
    command: Text
    """The command that opened it."""
    study: Text
    """Name of the folder."""
    model: Name
    """Name of the model."""
    n: Count
    """Test images."""
    data_fingerprint: Hash
    """Fingerprint of the test images."""
    origin: Hash | None = None
    """Fingerprint of the bytes that these were decoded from, by which all openings on a machine
    are counted: it is the same at every size."""
