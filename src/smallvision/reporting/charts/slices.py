"""Accuracy by slice of the images, laid on one scale per measurement."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import format_setting
from smallvision.reporting.charts.ladder import Mark, draw_marks
from smallvision.reporting.charts.scales import ErrorScale, fit_error_scale
from smallvision.reporting.findings import Mistakes, Slice
from smallvision.reporting.scores import Score

APART = 16.0  # percent between ticks: two of these plots share the width of one


@dataclass(frozen=True)
class SliceRow:
    """The images of one stretch on the plot; positions are percent of the width."""

    label: str
    score: Score
    point: float
    low: float
    high: float
    base: float | None = None


@dataclass(frozen=True)
class SlicePlot:
    """All stretches of one measurement."""

    record: Slice
    rows: tuple[SliceRow, ...]


@dataclass(frozen=True)
class Slices:
    """All measurements on one scale, so that they can be held against each other."""

    plots: tuple[SlicePlot, ...]
    marks: tuple[Mark, ...]


def draw_slices(mistakes: Mistakes) -> Slices:
    """Lay the accuracy of every slice on one scale."""
    ends = [end for part in mistakes.slices for one in part.bins for end in one.interval]
    scale = fit_error_scale(ends)
    plots = tuple(SlicePlot(part, draw_rows(part, scale)) for part in mistakes.slices)
    return Slices(plots, draw_marks(scale, APART) if ends else ())


def draw_rows(part: Slice, scale: ErrorScale) -> tuple[SliceRow, ...]:
    """Lay out the stretches of one measurement."""
    return tuple(
        SliceRow(
            label=f"{format_setting(float(one.low))} to {format_setting(float(one.high))}",
            score=Score(one.accuracy, one.interval, one.n),
            point=scale.place(one.accuracy),
            low=scale.place(one.interval[0]),
            high=scale.place(one.interval[1]),
        )
        for one in part.bins
    )
