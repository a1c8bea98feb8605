"""What `smallvision compare --json` and `sv.compare` tell; it is written nowhere."""

from __future__ import annotations

from smallvision.records.schema.base import Count, Interval, Record
from smallvision.records.schema.measures import VerdictWord


class RunGroup(Record):
    """Runs whose recipes differ in seed and name alone."""

    name: str
    """Unique among the groups."""
    runs: tuple[str, ...]
    """Their folders."""
    seeds: tuple[int, ...]
    """Their seeds."""
    failed: tuple[int, ...]
    """Seeds of repeats that no figure includes."""
    accuracies: tuple[float, ...]
    """Validation accuracy of each run."""
    mean: float
    """Their mean."""
    std: float | None
    """Sample standard deviation over seeds; null for one run."""
    interval: Interval
    """95 % interval: Wilson's over images for one run, Student's over seeds for several."""


class PairVerdict(Record):
    """Two groups compared."""

    a: str
    """Name of the first group."""
    b: str
    """Name of the second group."""
    difference: float
    """Mean accuracy of the first minus that of the second."""
    interval: Interval
    """95 % interval of the difference."""
    bootstrap: Interval
    """Paired bootstrap interval of the difference."""
    p: float
    """Two-sided p-value of the pair alone."""
    p_holm: float
    """The same, corrected for all pairs after Holm."""
    verdict: VerdictWord
    """What may be said at the 5 % level after the correction."""
    needed_n: int | None
    """About how many images would be needed to tell the two apart; null if no number would do."""
    sentence: str
    """The verdict in words."""


class Comparison(Record):
    """Finished runs on one split, all compared with all."""

    n: Count
    """Validation images."""
    groups: tuple[RunGroup, ...]
    """Best mean accuracy first."""
    pairs: tuple[PairVerdict, ...]
    """All pairs, in that order."""
