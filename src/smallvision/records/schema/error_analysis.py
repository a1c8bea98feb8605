"""The record of a model's errors on validation images."""

from __future__ import annotations

from typing import Literal

from smallvision.records.schema.base import Count, Fraction, Interval, Record


class ConfusedPair(Record):
    """Two classes that are taken for each other; the commoner way comes first."""

    true: Count
    """Number of the class of the images."""
    predicted: Count
    """Number of the class they are taken for."""
    count: Count
    """Such errors."""
    reverse_count: Count
    """Errors the other way round."""
    file: str | None
    """A strip of up to 8 such errors, the most confident first."""
    reverse_file: str | None
    """The same the other way round; null without such errors."""


class ConfidentError(Record):
    """An error that the model was confident of."""

    index: Count
    """Number of the image, as in `split.npz`."""
    true: Count
    """Number of its class."""
    predicted: Count
    """Number of the predicted class."""
    confidence: float
    """Probability of the predicted class."""
    true_probability: float
    """Probability of the right class."""
    file: str
    """The image."""
    saliency: str
    """The image with what the model looked at."""


class MemberDisagreement(Record):
    """An image that the members of an ensemble classify differently."""

    index: Count
    """Number of the image."""
    true: Count
    """Number of its class."""
    votes: tuple[int, ...]
    """Number of the class that each member names."""
    file: str
    """The image."""


class LabelIssue(Record):
    """An image whose label may be wrong."""

    index: Count
    """Number of the image."""
    given: Count
    """Number of the class of its label."""
    suggested: Count
    """Number of the class that the model suggests."""
    probability: float
    """Probability of the suggested class."""
    file: str
    """The image."""


class LabelIssues(Record):
    """Labels that may be wrong, by confident learning."""

    estimate: Count
    """About how many; a weak model overstates it."""
    images: tuple[LabelIssue, ...]
    """The most suspicious, at most 24."""


class SliceBin(Record):
    """Images of one range of a measured property, both ends included."""

    low: float
    """Lowest value."""
    high: float
    """Highest value."""
    n: Count
    """Number of images."""
    accuracy: Fraction
    """Share classified correctly."""
    interval: Interval
    """Wilson's 95 % interval."""


class PropertySlice(Record):
    """Accuracy along a measured property of the images."""

    name: str
    """Name of the property, such as `brightness`."""
    bins: tuple[SliceBin, ...]
    """Bins of about equal count; fewer than five where values are tied."""
    p: float
    """p-value of equal accuracy in all bins, corrected for all properties after Holm."""
    sentence: str
    """The same in words."""


class ErrorAnalysisRecord(Record):
    """`errors/errors.json`: what a model gets wrong on validation images; the test stays sealed."""

    on: Literal["val"] = "val"
    """The images that were looked at."""
    model: str
    """Name of the model."""
    class_names: tuple[str, ...]
    """In label order; the other fields hold numbers into it."""
    n: Count
    """Validation images."""
    errors: Count
    """Those classified wrongly."""
    pairs: tuple[ConfusedPair, ...]
    """Up to 10 pairs of classes, by number of errors."""
    worst: tuple[ConfidentError, ...]
    """Up to 24 errors, the most confident first."""
    saliency: str | None
    """Method of the overlays: `Grad-CAM` or `input gradient`; null without errors."""
    disagreements: tuple[MemberDisagreement, ...]
    """Up to 12 images, by entropy of the votes; empty for a single network."""
    label_issues: LabelIssues
    """Labels that may be wrong."""
    slices: tuple[PropertySlice, ...]
    """Accuracy along measured properties."""
