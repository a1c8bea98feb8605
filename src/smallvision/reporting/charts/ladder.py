"""The ladder as an interval dot plot: one row per rung, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.format import format_points
from smallvision.reporting.charts.scales import ErrorScale, fit_error_scale
from smallvision.reporting.scores import Score, Verdict
from smallvision.reporting.view import Rung, Study

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
    """Give the chip of a rung: its fate, or how it compares with the rung of its step."""
    state = rung.plan.status
    if state != "done":
        return Chip("failed" if state == "failed" else "none", "", STATES[state])
    if rung.is_repeat:
        return Chip("none", "", "same run" if rung.is_adopted else "same recipe, other seed")
    if rung.step is None and rung.plan.builds_on is None:
        return Chip("none", "", "starting point")
    return name_verdict(rung.step)


def note_rung(rung: Rung) -> str:
    """Give the line under the chip: the size of the step, or why there is none."""
    if rung.plan.status != "done" or rung.step is None:
        return ""
    if rung.is_adopted:
        return f"as {rung.step.against}: no trial was better"
    return f"{format_points(rung.step.difference, rung.step.n)} on {rung.step.against}"


def draw_ladder(study: Study) -> Ladder:
    """Lay all rungs on one scale that holds every interval."""
    scores = [rung.outcome.val for rung in study.rungs if rung.outcome.val is not None]
    test = study.scorecard.score if study.scorecard else None
    ends = [end for score in [*scores, *([test] if test else [])] for end in score.interval]
    scale = fit_error_scale(ends)
    marks = draw_marks(scale) if ends else ()
    return Ladder(
        rows=tuple(draw_row(rung, study, scale) for rung in study.climbed),
        marks=marks,
        test=draw_test(study, scale),
    )


def draw_marks(scale: ErrorScale, apart: float = 9.0) -> tuple[Mark, ...]:
    """Draw the ticks of a scale of fractions, in percent, `apart` percent of the width."""
    return tuple(Mark(scale.place(tick), f"{100 * tick:g}") for tick in scale.ticks(apart))


def draw_row(rung: Rung, study: Study, scale: ErrorScale) -> Row:
    """Place one rung; the hollow mark shows the rung it is compared with."""
    score, chip, note = rung.outcome.val, name_rung(rung), note_rung(rung)
    if score is None:
        return Row(rung, None, chip, note)
    # A rung that could build on none, as with --rungs, is still compared with the one before it.
    parent = study.find_rung(rung.step.against if rung.step else rung.plan.builds_on)
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
    """Some accuracies on one scale: a label and a tone for each row."""

    rows: tuple[tuple[str, str, Row], ...]
    marks: tuple[Mark, ...]


def draw_versus(rung: Rung, scores: Sequence[tuple[str, str, Score]]) -> Versus:
    """Lay a few accuracies of one model below each other; the tone `test` draws a diamond."""
    scale = fit_error_scale([end for _, _, score in scores for end in score.interval])
    rows = tuple((label, tone, place_score(rung, score, scale)) for label, tone, score in scores)
    return Versus(rows, draw_marks(scale))


def compare_test(study: Study) -> Versus | None:
    """Lay the test result beside the validation accuracy it was chosen by, and its twin's."""
    card = study.scorecard
    rung = study.find_rung(card.model) if card else None
    if card is None or rung is None:
        return None
    twin = card.twin
    val = (twin.val if twin else None) or card.val
    if val is None:
        return None
    scores = [("validation", "best", val), ("test", "test", card.score)]
    if twin is not None:
        scores[1:] = [("test, twin", "twin", twin.score), ("test, refitted", "test", card.score)]
    return draw_versus(rung, scores)


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
