"""The ladder as an interval dot plot: one row per rung, all on one scale."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.reporting.scales import ErrorScale, fit_error_scale
from smallvision.reporting.view import Rung, Score, Study, Verdict
from smallvision.reporting.words import format_points

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
    """Give the chip of a comparison."""
    if verdict is None:
        return Chip("none", "", "not compared")
    tone = {"better": "better", "worse": "worse"}.get(verdict.verdict, "even")
    return Chip(tone, SYMBOLS[verdict.verdict], verdict.verdict)


def name_rung(rung: Rung) -> Chip:
    """Give the chip of a rung: its fate, or how it compares with the rung it builds on."""
    state = rung.plan.status
    if state != "done":
        return Chip("failed" if state == "failed" else "none", "", STATES[state])
    if rung.plan.builds_on is None:
        return Chip("none", "", "starting point")
    return name_verdict(rung.step)


def note_rung(rung: Rung) -> str:
    """Give the line under the chip: the size of the step, or why there is none."""
    if rung.plan.status != "done" or rung.step is None:
        return ""
    return f"{format_points(rung.step.difference, rung.step.n)} on {rung.step.against}"


def draw_ladder(study: Study) -> Ladder:
    """Lay all rungs on one scale that holds every interval."""
    scores = [rung.outcome.val for rung in study.rungs if rung.outcome.val is not None]
    test = study.scorecard.score if study.scorecard else None
    ends = [end for score in [*scores, *([test] if test else [])] for end in score.interval]
    scale = fit_error_scale(ends)
    marks = draw_marks(scale) if ends else ()
    return Ladder(
        rows=tuple(draw_row(rung, study, scale) for rung in study.rungs),
        marks=marks,
        test=draw_test(study, scale),
    )


def draw_marks(scale: ErrorScale) -> tuple[Mark, ...]:
    """Draw the ticks of a scale of fractions, in percent."""
    return tuple(Mark(scale.place(tick), f"{100 * tick:g}") for tick in scale.ticks())


def draw_row(rung: Rung, study: Study, scale: ErrorScale) -> Row:
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


@dataclass(frozen=True)
class Versus:
    """Validation and test of the same model on one scale."""

    rows: tuple[tuple[str, Row], ...]
    marks: tuple[Mark, ...]


def draw_versus(study: Study) -> Versus | None:
    """Lay the test result beside the validation accuracy it was chosen by."""
    card = study.scorecard
    if card is None or card.val is None:
        return None
    rung = study.find_rung(card.model)
    if rung is None:
        return None
    scale = fit_error_scale([*card.val.interval, *card.interval])
    scores = (("validation", card.val), ("test", card.score))
    rows = tuple((label, place_score(rung, score, scale)) for label, score in scores)
    return Versus(rows, draw_marks(scale))


def place_score(rung: Rung, score: Score, scale: ErrorScale) -> Row:
    """Give a score on a scale, with no verdict beside it."""
    return Row(
        rung=rung,
        score=score,
        chip=Chip("test", "◆", "test"),
        note="",
        point=scale.place(score.accuracy),
        low=scale.place(score.interval[0]),
        high=scale.place(score.interval[1]),
    )


def draw_test(study: Study, scale: ErrorScale) -> Row | None:
    """Place the test result of the model that was evaluated."""
    card = study.scorecard
    rung = study.find_rung(card.model) if card else None
    if card is None or rung is None:
        return None
    return place_score(rung, card.score, scale)
