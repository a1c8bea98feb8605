"""What `smallvision compare --json` and `sv.compare` tell; it is written nowhere."""

from __future__ import annotations

from typing import Annotated

from smallvision.display import Displayed
from smallvision.records.schema.base import (
    Accuracies,
    Count,
    Difference,
    DifferenceInterval,
    Fraction,
    Interval,
    Number,
    PathText,
    Record,
    Seeds,
    Text,
    at_most,
)
from smallvision.records.schema.measures import ClassMeans, VerdictWord


class RunGroup(Record):
    """Runs whose recipes differ in seed and name alone."""

    name: Text
    """Unique among the groups."""
    runs: Annotated[tuple[PathText, ...], at_most(10_000)]
    """Their folders."""
    seeds: Seeds
    """Their seeds."""
    failed: Seeds
    """Seeds of repeats that no figure includes."""
    accuracies: Accuracies
    """Validation accuracy of each run."""
    mean: Fraction
    """Their mean."""
    by_class: ClassMeans | None = None
    """The means over the runs of their figures in which every class counts alike."""
    std: Fraction | None
    """Sample standard deviation over seeds; null for one run."""
    interval: Interval
    """95 % interval: Wilson's over images for one run, Student's over seeds for several."""


class PairVerdict(Record):
    """Two groups compared."""

    a: Text
    """Name of the first group."""
    b: Text
    """Name of the second group."""
    difference: Difference
    """Mean accuracy of the first minus that of the second."""
    interval: DifferenceInterval
    """95 % interval of the difference."""
    bootstrap: DifferenceInterval
    """Paired bootstrap interval of the difference."""
    p: Fraction
    """Two-sided p-value of the pair alone."""
    p_holm: Fraction
    """The same, corrected for all pairs after Holm."""
    verdict: VerdictWord
    """What may be said at the 5 % level after the correction."""
    needed_n: Number | None
    """About how many images it would take to tell the two apart if the true difference is the one
    seen; null if no number would do, and where fewer than six images tell them apart."""
    sentence: Text
    """The verdict in words."""


class Comparison(Displayed, Record):
    """Finished runs on one split, all compared with all."""

    n: Count
    """Validation images; with folds, those of all folds compared."""
    folds: Number = 1
    """Folds whose answers were pooled."""
    groups: tuple[RunGroup, ...]
    """Best mean accuracy first."""
    pairs: tuple[PairVerdict, ...]
    """All pairs, in that order."""
