"""The ladder as an interval dot plot: one row per rung, all on one scale."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.report.scales import Scale, fit_scale
from smallvision.report.view import Rung, Score, Study, Verdict
from smallvision.report.words import format_percent, format_points

SYMBOLS = {"better": "▲", "worse": "▼", "cannot tell apart": "≈"}
STATES = {
    "pending": "not run yet",
    "running": "still running",
    "failed": "failed",
    "skipped": "skipped",
}


@dataclass(frozen=True)
class Chip:
    """A verdict in a word or two: `tone` picks the colour, the symbol speaks without it."""

    tone: str
    symbol: str
    text: str


@dataclass(frozen=True)
class Row:
    """One rung on the plot; positions are percent of the width."""

    rung: Rung
    score: Score | None
    chip: Chip
    note: str
    point: float = 0.0
    low: float = 0.0
    high: float = 0.0
    base: float | None = None
    is_best: bool = False


@dataclass(frozen=True)
class Mark:
    """A tick of the axis."""

    place: float
    text: str


@dataclass(frozen=True)
class Ladder:
    """All rows, the axis, and the winner's test result on the same scale."""

    rows: tuple[Row, ...]
    marks: tuple[Mark, ...]
    test: Row | None


def name_verdict(verdict: Verdict | None) -> Chip:
    """The chip of a comparison."""
    if verdict is None:
        return Chip("none", "", "not compared")
    tone = {"better": "better", "worse": "worse"}.get(verdict.verdict, "even")
    return Chip(tone, SYMBOLS[verdict.verdict], verdict.verdict)


def name_rung(rung: Rung) -> Chip:
    """The chip of a rung: what happened to it, or how it compares with the one it builds on."""
    state = rung.plan.status
    if state != "done":
        return Chip("failed" if state == "failed" else "none", "", STATES[state])
    if rung.plan.builds_on is None:
        return Chip("none", "", "starting point")
    return name_verdict(rung.step)


def note_rung(rung: Rung) -> str:
    """The line under the chip: the size of the step, or why there is none."""
    if rung.plan.status != "done":
        return ""
    if rung.step is None:
        return ""
    return f"{format_points(rung.step.difference, rung.step.n)} on {rung.step.against}"


def draw_ladder(study: Study) -> Ladder:
    """Lay all rungs on one scale that holds every interval."""
    scores = [rung.outcome.val for rung in study.rungs if rung.outcome.val is not None]
    test = study.scorecard.score if study.scorecard else None
    ends = [end for score in [*scores, *([test] if test else [])] for end in score.interval]
    scale = fit_scale(ends)
    return Ladder(
        rows=tuple(draw_row(rung, study, scale) for rung in study.rungs),
        marks=draw_marks(scale),
        test=draw_test(study, scale),
    )


def draw_marks(scale: Scale, most: int = 6) -> tuple[Mark, ...]:
    """The ticks of a scale of fractions, in percent."""
    ticks = scale.ticks(most)
    digits = 0 if all(abs(100 * tick - round(100 * tick)) < 1e-9 for tick in ticks) else 1
    return tuple(Mark(scale.place(tick), f"{100 * tick:.{digits}f}") for tick in ticks)


def draw_row(rung: Rung, study: Study, scale: Scale) -> Row:
    """Place one rung; the hollow mark shows the rung it builds on."""
    score, chip, note = rung.outcome.val, name_rung(rung), note_rung(rung)
    if score is None:
        return Row(rung, None, chip, note)
    parent = study.find_rung(rung.plan.builds_on)
    base = parent.outcome.val if parent else None
    return Row(
        rung=rung,
        score=score,
        chip=chip,
        note=note,
        point=scale.place(score.accuracy),
        low=scale.place(score.interval[0]),
        high=scale.place(score.interval[1]),
        base=scale.place(base.accuracy) if base else None,
        is_best=rung.name == study.card.best,
    )


def draw_test(study: Study, scale: Scale) -> Row | None:
    """Place the test result of the model that was evaluated."""
    card = study.scorecard
    rung = study.find_rung(card.model) if card else None
    if card is None or rung is None:
        return None
    score = card.score
    return Row(
        rung=rung,
        score=score,
        chip=Chip("test", "◆", "test"),
        note="",
        point=scale.place(score.accuracy),
        low=scale.place(score.interval[0]),
        high=scale.place(score.interval[1]),
    )


def describe_row(row: Row) -> str:
    """One row in words, for those who cannot see the plot."""
    if row.score is None:
        return f"{row.rung.name}: {row.chip.text}."
    low, high = (format_percent(end, row.score.n) for end in row.score.interval)
    return (
        f"{row.rung.name}: {format_percent(row.score.accuracy, row.score.n)}, "
        f"interval {low} to {high}; {row.chip.text}."
    )
