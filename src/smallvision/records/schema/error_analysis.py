"""The record of a model's errors on validation images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    ClassNames,
    ClassNumber,
    Count,
    FileName,
    Fraction,
    Interval,
    Name,
    PathText,
    Probability,
    Record,
    Side,
    Text,
    at_most,
    check_order,
)
from smallvision.records.schema.ensemble import MOST_NETWORKS

Property: TypeAlias = Annotated[float, Field(ge=0, le=100)]  # measured on grey images in [0, 1]
MOST_ISSUES = 500  # labels in doubt that are listed
SaliencyMethod: TypeAlias = Literal["Grad-CAM", "input gradient"]


class ValidationImage(Record):
    """A validation image to look at."""

    index: Count
    """Number of the image, as in `split.npz`."""
    source_file: PathText | None = None
    """Its file, as it is called inside the source; null where images are no files."""


class ConfusedPair(Record):
    """Two classes that are taken for each other; the commoner way comes first."""

    true: ClassNumber
    """Number of the class of the images."""
    predicted: ClassNumber
    """Number of the class they are taken for."""
    count: Count
    """Such errors."""
    reverse_count: Count
    """Errors the other way round."""
    file: FileName | None
    """A strip of up to 8 such errors, the most confident first."""
    reverse_file: FileName | None
    """The same the other way round; null without such errors."""


class ConfidentError(ValidationImage):
    """An error that the model was confident of."""

    true: ClassNumber
    """Number of its class."""
    predicted: ClassNumber
    """Number of the predicted class."""
    confidence: Probability
    """Probability of the predicted class."""
    true_probability: Probability
    """Probability of the right class."""
    file: FileName
    """The image."""
    saliency: FileName
    """The image with what the model looked at."""


class MemberDisagreement(ValidationImage):
    """An image that the members of an ensemble classify differently."""

    true: ClassNumber
    """Number of its class."""
    votes: Annotated[tuple[ClassNumber, ...], at_most(MOST_NETWORKS)]
    """Number of the class that each member names."""
    file: FileName
    """The image."""


class LabelIssue(ValidationImage):
    """An image whose label may be wrong."""

    given: ClassNumber
    """Number of the class of its label."""
    suggested: ClassNumber
    """Number of the class that the model suggests."""
    probability: Probability
    """Probability of the suggested class."""
    file: FileName | None
    """The image; null beyond the first 24."""


class LabelIssues(Record):
    """Labels that may be wrong, by confident learning."""

    estimate: Count
    """About how many; a weak model overstates it."""
    images: Annotated[tuple[LabelIssue, ...], at_most(MOST_ISSUES)]
    """At most 500, the most suspicious first."""


class SliceBin(Record):
    """Images of one range of a measured property, both ends included."""

    low: Property
    """Lowest value."""
    high: Property
    """Highest value."""
    n: Count
    """Number of images."""
    accuracy: Fraction
    """Share classified correctly."""
    interval: Interval
    """Wilson's 95 % interval."""

    @model_validator(mode="after")
    def check_range(self) -> Self:
        """The range has its low end first."""
        check_order((self.low, self.high))
        return self


class PropertySlice(Record):
    """Accuracy along a measured property of the images."""

    name: Name
    """Name of the property, such as `brightness`."""
    bins: Annotated[tuple[SliceBin, ...], at_most(100)]
    """Bins of about equal count; fewer than five where values are tied."""
    p: Fraction
    """p-value of equal accuracy in all bins, corrected for all tests after Holm."""
    p_within: Fraction | None = None
    """The same among images of one class, so that classes that differ in both explain nothing:
    the test of Cochran, Mantel and Haenszel; null in records of before it was made."""
    sentence: Text
    """The same in words."""


class GalleryImage(ValidationImage):
    """A validation image of the galleries and the map."""

    true: ClassNumber
    """Number of its class."""
    predicted: ClassNumber
    """Number of the predicted class."""
    probability: Probability
    """Probability of the predicted class."""
    place: tuple[Fraction, Fraction] | None
    """Where it lies on the map, from the left and from below; null where it is not on it."""


class ValidationGallery(Record):
    """Validation images to look through, some of them on a map of the model's features."""

    file: FileName
    """A sheet of the images in their order, row by row, with one pixel between two of them."""
    width: Side
    """Pixels of an image on the sheet."""
    height: Side
    """The same."""
    columns: Annotated[int, Field(ge=1, le=100)]
    """Images in a row of the sheet."""
    errors: Count
    """How many of the images are classified wrongly."""
    same_class: Fraction
    """Share of the mapped images whose nearest neighbour among the features is of their class."""
    trustworthiness: Fraction | None
    """How far neighbours on the map are neighbours among the features; null for few images."""
    images: Annotated[tuple[GalleryImage, ...], at_most(4000)]
    """A random sample, which is on the map, and errors; by class, then by predicted class."""


class ErrorAnalysisRecord(Record):
    """`errors/errors.json`: what a model gets wrong on validation images; the test stays sealed."""

    on: Literal["val"] = "val"
    """The images that were looked at."""
    model: Name
    """Name of the model."""
    class_names: ClassNames
    """In label order; the other fields hold numbers into it."""
    n: Count
    """Validation images."""
    errors: Count
    """Those classified wrongly."""
    pairs: Annotated[tuple[ConfusedPair, ...], at_most(10)]
    """Up to 10 pairs of classes, by number of errors."""
    worst: Annotated[tuple[ConfidentError, ...], at_most(24)]
    """Up to 24 errors, the most confident first."""
    saliency: SaliencyMethod | None
    """Method of the overlays: `Grad-CAM` or `input gradient`; null without errors."""
    disagreements: Annotated[tuple[MemberDisagreement, ...], at_most(12)]
    """Up to 12 images, by entropy of the votes; empty for a single network."""
    label_issues: LabelIssues
    """Labels that may be wrong."""
    slices: Annotated[tuple[PropertySlice, ...], at_most(100)]
    """Accuracy along measured properties."""
    gallery: ValidationGallery | None = None
    """Images to look through; null in records of before there was one."""

    @model_validator(mode="after")
    def check_classes(self) -> Self:
        """Every number of a class has a name."""
        K = len(self.class_names)
        for place, number in self.list_classes():
            if number >= K:
                raise ValueError(f"{place} is class {number}, where {K} have names")
        return self

    def list_classes(self) -> Iterator[tuple[str, int]]:
        """Each number of a class that is named anywhere, with the field that names it."""
        for pair in self.pairs:
            yield from (("true", pair.true), ("predicted", pair.predicted))
        for error in self.worst:
            yield from (("true", error.true), ("predicted", error.predicted))
        for image in self.disagreements:
            yield from (("true", image.true), *(("votes", vote) for vote in image.votes))
        for issue in self.label_issues.images:
            yield from (("given", issue.given), ("suggested", issue.suggested))
        for shown in self.gallery.images if self.gallery else ():
            yield from (("true", shown.true), ("predicted", shown.predicted))
