"""The record of an ensemble."""

from __future__ import annotations

from typing import Literal, TypeAlias

from smallvision.records.schema.base import Count, Fraction, Interval, Record
from smallvision.records.schema.measures import CostRatio, Verdict

SelectionName: TypeAlias = Literal["greedy", "last", "all"]


class EnsembleMember(Record):
    """A network that votes."""

    run: str
    """Its run folder, relative to the ensemble's."""
    epoch: Count
    """Epoch of its weights."""
    accuracy: Fraction
    """Validation accuracy on its own."""
    loss: float
    """Validation log loss on its own, without temperature."""


class EnsembleCandidate(EnsembleMember):
    """A network that might have joined."""

    chosen: bool
    """Whether it votes."""


class EnsembleStep(Record):
    """The ensemble after its first so many members."""

    members: Count
    """Networks in the mean."""
    accuracy: Fraction
    """Accuracy of the mean."""
    loss: float
    """Log loss of the mean, without temperature."""
    gain: float
    """Accuracy beyond that of the step before; 0 for the first."""


class BestMember(EnsembleMember):
    """The best member on its own."""

    interval: Interval
    """Wilson's 95 % interval of its accuracy."""
    n: Count
    """Validation images."""
    latency_seconds: float
    """Time to classify one image."""
    size_bytes: Count
    """Size of its weights."""
    parameters: Count
    """Parameter count."""


class AveragedWeights(Record):
    """One network whose weights are the mean of the members' weights."""

    accuracy: Fraction
    """Validation accuracy."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Count
    """Validation images."""
    loss: float
    """Log loss, without temperature."""
    sentence: str
    """What that is worth beside the best member, in words."""


class EnsembleRecord(Record):
    """`ensemble.json`: which networks vote, what each adds on validation, and what it costs."""

    select: SelectionName
    """How the members were chosen."""
    candidates: tuple[EnsembleCandidate, ...]
    """All networks that were offered."""
    members: tuple[EnsembleMember, ...]
    """Those that vote, in the order of choice."""
    steps: tuple[EnsembleStep, ...]
    """The mean after each member."""
    disagreement: tuple[tuple[float, ...], ...]
    """Share of validation images that two members answer differently."""
    single: BestMember
    """The best member on its own."""
    averaged_weights: AveragedWeights | None
    """Null for one member, and for members of several runs."""
    against_single: Verdict
    """The ensemble compared with the best member."""
    cost: CostRatio
    """Cost of the ensemble divided by that of the best member."""
