"""An ensemble of snapshots: who votes, what each adds, how far they disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from smallvision.format import format_fraction, format_percent, shorten_paths
from smallvision.reporting.charts.confusion_matrix import LEVELS
from smallvision.reporting.charts.curves import Figure, build_figure, scale_value
from smallvision.reporting.charts.ladder import Versus, draw_versus
from smallvision.reporting.findings import Candidate, Ensemble, Member, Single
from smallvision.reporting.scores import Score
from smallvision.reporting.view import Rung, Schedule, Study


@dataclass(frozen=True)
class MemberRow:
    """A member, its accuracy alone, and the ensemble's once it has joined."""

    name: str
    accuracy: float
    together: float | None
    gain: float | None


@dataclass(frozen=True)
class Tile:
    """A cell of the disagreement matrix."""

    text: str
    css: str


@dataclass(frozen=True)
class Vote:
    """All that the page says of an ensemble."""

    rung: Rung
    record: Ensemble
    members: tuple[MemberRow, ...]
    left_out: tuple[str, ...]
    tiles: tuple[tuple[Tile, ...], ...]
    versus: Versus
    single: str

    @property
    def n(self) -> int:
        """The number of images behind the figures."""
        return self.record.single.n


def draw_vote(study: Study) -> Vote | None:
    """Collect the first rung's ensemble; None where no rung is one."""
    rung = next((rung for rung in study.climbed if rung.ensemble is not None), None)
    if rung is None or rung.ensemble is None:
        return None
    record = rung.ensemble
    left_out = [name_member(record, one) for one in record.candidates if not one.chosen]
    return Vote(
        rung=rung,
        record=record,
        members=list_members(record),
        left_out=tuple(left_out),
        tiles=shade_disagreement(record.disagreement),
        versus=compare_members(rung, record),
        single=name_member(record, record.single),
    )


def name_member(record: Ensemble, member: Candidate | Member | Single) -> str:
    """Name a snapshot by its epoch, and by its run where they come from more than one."""
    runs = {one.run for one in (*record.candidates, *record.members, member)}
    run = f"{shorten_paths(runs)[member.run]}, " if len(runs) > 1 else ""
    return f"{run}epoch {member.epoch}"


def list_members(record: Ensemble) -> tuple[MemberRow, ...]:
    """Put each member beside the step at which it joined."""
    steps = {step.members: step for step in record.steps}
    rows = []
    for place, member in enumerate(record.members, start=1):
        step = steps.get(place)
        together, gain = (step.accuracy, step.gain) if step else (None, None)
        rows.append(MemberRow(name_member(record, member), member.accuracy, together, gain))
    return tuple(rows)


def shade_disagreement(rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[Tile, ...], ...]:
    """Shade each pair against the one that disagrees most; a member agrees with itself."""
    most = max((value for row in rows for value in row), default=0.0) or 1.0
    return tuple(
        tuple(
            Tile("–", "zero")
            if i == j
            else Tile(format_fraction(value), f"hit-{max(1, math.ceil(LEVELS * value / most))}")
            for j, value in enumerate(row)
        )
        for i, row in enumerate(rows)
    )


def compare_members(rung: Rung, record: Ensemble) -> Versus:
    """Lay the best member, the averaged weights and the ensemble on one scale."""
    single, mean = record.single, record.averaged_weights
    scores = [("best member", "", Score(single.accuracy, single.interval, single.n))]
    if mean is not None:
        scores.append(("averaged weights", "", Score(mean.accuracy, mean.interval, mean.n)))
    if rung.outcome.val is not None:
        scores.append(("ensemble", "best", rung.outcome.val))
    return draw_versus(rung, scores)


def build_snapshots(rung: Rung) -> Figure | None:
    """Mark the snapshots on the curves of the run that they come from."""
    run, record = rung.snapshots, rung.ensemble
    if run is None or record is None or not run.epochs:
        return None
    # Every marked epoch was kept here, so the line through the best one would only confuse.
    figure = build_figure(replace(run, outcome=replace(run.outcome, best_epoch=None)))
    for chosen, name in ((True, "member"), (False, "left out")):
        marked = [one for one in record.candidates if one.chosen == chosen]
        figure["data"].append(mark_snapshots(marked, name, [one.accuracy for one in marked]))
        if run.schedule is not None:
            rates = [find_rate(run.schedule, one.epoch) for one in marked]
            figure["data"].append(mark_snapshots(marked, name, rates, on_rate=True))
    return figure


def mark_snapshots(
    marked: list[Candidate], name: str, values: list[float], *, on_rate: bool = False
) -> Figure:
    """Mark some snapshots at given values, filled if they are members."""
    is_member = name == "member"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [one.epoch for one in marked],
        "y": [scale_value(value, 1 if on_rate else 100) for value in values],
        "yaxis": "y3" if on_rate else "y",
        "marker": {
            "symbol": "diamond" if is_member else "diamond-open",
            "size": 8 if on_rate else 11,
            "color": "--accent",
            "line": {"color": "--accent", "width": 1.5},
        },
        "hoverinfo": "skip" if on_rate else "text",
        "text": [f"snapshot, {name}: {format_percent(one.accuracy)}" for one in marked],
        "showlegend": False,
    }


def find_rate(schedule: Schedule, epoch: int) -> float:
    """Find the learning rate of an epoch's last step, at the nearest step that was recorded."""
    last = epoch * schedule.steps_per_epoch - 1
    pairs = zip(schedule.step, schedule.value, strict=False)
    return min(pairs, key=lambda pair: abs(pair[0] - last), default=(0, 0.0))[1]
