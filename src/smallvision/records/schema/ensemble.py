"""The record of an ensemble."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import model_validator

from smallvision.records.schema.base import (
    Count,
    Difference,
    Fraction,
    Interval,
    Latency,
    Loss,
    Number,
    Record,
    RunPath,
    Text,
    at_most,
    check_lengths,
)
from smallvision.records.schema.measures import CostRatio, Verdict

MOST_NETWORKS = 1000  # of an ensemble, and among which its members are chosen

SelectionName: TypeAlias = Literal["greedy", "last", "all"]
Shares: TypeAlias = Annotated[tuple[Fraction, ...], at_most(MOST_NETWORKS)]


class EnsembleMember(Record):
    """A network that votes."""

    run: RunPath
    """Its run folder, relative to the ensemble's."""
    epoch: Count
    """Epoch of its weights."""
    accuracy: Fraction
    """Validation accuracy on its own."""
    loss: Loss
    """Validation log loss on its own, without temperature."""


class EnsembleCandidate(EnsembleMember):
    """A network that might have joined."""

    chosen: bool
    """Whether it votes."""


class EnsembleStep(Record):
    """The ensemble after its first so many members."""

    members: Number
    """Networks in the mean."""
    accuracy: Fraction
    """Accuracy of the mean."""
    loss: Loss
    """Log loss of the mean, without temperature."""
    gain: Difference
    """Accuracy beyond that of the step before; 0 for the first."""


class BestMember(EnsembleMember):
    """The best member on its own."""

    interval: Interval
    """Wilson's 95 % interval of its accuracy."""
    n: Count
    """Validation images."""
    latency_seconds: Latency
    """Time to classify one image."""
    size_bytes: Number
    """Size of its weights."""
    parameters: Number
    """Parameter count."""


class AveragedWeights(Record):
    """One network whose weights are the mean of the members' weights."""

    accuracy: Fraction
    """Validation accuracy."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Count
    """Validation images."""
    loss: Loss
    """Log loss, without temperature."""
    sentence: Text
    """What that is worth beside the best member, in words."""


class EnsembleRecord(Record):
    """`ensemble.json`: which networks vote, what each adds on validation, and what it costs."""

    select: SelectionName
    """How the members were chosen."""
    candidates: Annotated[tuple[EnsembleCandidate, ...], at_most(MOST_NETWORKS)]
    """All networks that were offered."""
    members: Annotated[tuple[EnsembleMember, ...], at_most(MOST_NETWORKS, least=1)]
    """Those that vote, in the order of choice."""
    steps: Annotated[tuple[EnsembleStep, ...], at_most(MOST_NETWORKS)]
    """The mean after each member."""
    disagreement: Annotated[tuple[Shares, ...], at_most(MOST_NETWORKS)]
    """Share of validation images that two members answer differently."""
    single: BestMember
    """The best member on its own."""
    averaged_weights: AveragedWeights | None
    """Null for one member, and for members of several runs."""
    against_single: Verdict
    """The ensemble compared with the best member."""
    cost: CostRatio
    """Cost of the ensemble divided by that of the best member."""

    @model_validator(mode="after")
    def check_members(self) -> Self:
        """Each member has a step, and a row and a column of the disagreement."""
        sides = {f"disagreement.{i}": len(row) for i, row in enumerate(self.disagreement)}
        check_lengths(
            members=len(self.members),
            steps=len(self.steps),
            disagreement=len(self.disagreement),
            **sides,
        )
        return self
