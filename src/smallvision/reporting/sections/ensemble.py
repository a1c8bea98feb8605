"""An ensemble of snapshots: which of them vote, what each adds, how far they disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.format import format_fraction, shorten_paths
from smallvision.records.schema import EnsembleMember, EnsembleRecord, FinishedRun
from smallvision.reporting.charts.confusion_matrix import LEVELS, Cell
from smallvision.reporting.charts.curves import CurveChart, draw_curves
from smallvision.reporting.charts.intervals import IntervalPlot, draw_intervals
from smallvision.reporting.view import LoneRunView, RungView, RunView, StudyView


@dataclass(frozen=True)
class MemberRow:
    """A member, its accuracy alone, and the ensemble's once it has joined."""

    name: str
    accuracy: float
    together: float | None
    gain: float | None


@dataclass(frozen=True)
class EnsembleSection:
    """What the section shows."""

    record: EnsembleRecord
    run: FinishedRun | None
    members: tuple[MemberRow, ...]
    left_out: tuple[str, ...]
    disagreement: tuple[tuple[Cell, ...], ...]
    plot: IntervalPlot
    chart: CurveChart | None
    best_member: str

    @property
    def n(self) -> int:
        """The number of images behind the figures."""
        return self.record.single.n


def gather(study: StudyView) -> EnsembleSection | None:
    """Collect what the section shows of the first ensemble; None where there is none."""
    for rung in study.climbed:
        if rung.ensemble is not None:
            return gather_rung(rung, rung.ensemble)
    return None


def gather_lone_run(folder: LoneRunView) -> EnsembleSection | None:
    """Collect what the section shows of an ensemble outside a study; None for any other run."""
    if folder.ensemble is None:
        return None
    snapshots = next((run for run in folder.runs if run.name == "snapshots"), None)
    return gather_record(folder.run, folder.ensemble, snapshots)


def gather_rung(rung: RungView, record: EnsembleRecord) -> EnsembleSection:
    """Collect what the section shows of an ensemble that is a rung."""
    return gather_record(rung.run, record, rung.snapshots)


def gather_record(
    run: RunView, record: EnsembleRecord, snapshots: RunView | None
) -> EnsembleSection:
    """Collect what the section shows of an ensemble.

    Args:
        run: the ensemble.
        record: what it is made of.
        snapshots: the training run that its members come from, where there is one.
    """
    return EnsembleSection(
        record=record,
        run=run.finished,
        members=list_members(record),
        left_out=tuple(name_member(record, one) for one in record.candidates if not one.chosen),
        disagreement=shade_disagreement(record.disagreement),
        plot=compare_members(run, record),
        chart=draw_snapshots(snapshots, record),
        best_member=name_member(record, record.single),
    )


def name_member(record: EnsembleRecord, member: EnsembleMember) -> str:
    """Name a snapshot by its epoch, and by its run where they come from more than one."""
    runs = {one.run for one in (*record.candidates, *record.members, member)}
    run = f"{shorten_paths(runs)[member.run]}, " if len(runs) > 1 else ""
    return f"{run}epoch {member.epoch}"


def list_members(record: EnsembleRecord) -> tuple[MemberRow, ...]:
    """Put each member beside the step at which it joined."""
    steps = {step.members: step for step in record.steps}
    rows = []
    for place, member in enumerate(record.members, start=1):
        step = steps.get(place)
        together, gain = (step.accuracy, step.gain) if step else (None, None)
        rows.append(MemberRow(name_member(record, member), member.accuracy, together, gain))
    return tuple(rows)


def shade_disagreement(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[Cell, ...], ...]:
    """Shade each pair against the one that disagrees most; a member agrees with itself."""
    most = max((value for row in rows for value in row), default=0.0) or 1.0
    return tuple(
        tuple(
            Cell("–", "zero")
            if i == j
            else Cell(format_fraction(value), f"hit-{max(1, math.ceil(LEVELS * value / most))}")
            for j, value in enumerate(row)
        )
        for i, row in enumerate(rows)
    )


def compare_members(run: RunView, record: EnsembleRecord) -> IntervalPlot:
    """Draw the best member, the averaged weights and the ensemble on one scale."""
    entries = (
        ("best member", "", record.single),
        ("averaged weights", "", record.averaged_weights),
        ("ensemble", "best", run.val),
    )
    return draw_intervals((label, tone, rate) for label, tone, rate in entries if rate is not None)


def draw_snapshots(run: RunView | None, record: EnsembleRecord) -> CurveChart | None:
    """Mark the snapshots on the curves of the run that they come from."""
    if run is None or not run.epochs:
        return None
    return draw_curves(run, {one.epoch: one.chosen for one in record.candidates})
