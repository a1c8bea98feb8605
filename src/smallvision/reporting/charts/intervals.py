"""Accuracies with their intervals, below each other on one scale."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.format import Rated
from smallvision.reporting.charts.scales import ErrorScale, Mark, fit_error_scale


@dataclass(frozen=True)
class IntervalRow:
    """An accuracy in its row; places are percent of the width, `base` that of another to compare.

    The tone `test` draws a diamond, `best` the accent colour.
    """

    label: str
    rate: Rated | None
    tone: str = ""
    point: float = 0.0
    low: float = 0.0
    high: float = 0.0
    base: float | None = None


@dataclass(frozen=True)
class IntervalPlot:
    """Rows on one scale, and the marks of its axis."""

    rows: tuple[IntervalRow, ...]
    marks: tuple[Mark, ...]


def fit_intervals(rates: Iterable[Rated | None]) -> ErrorScale:
    """Fit a scale that holds all intervals."""
    return fit_error_scale(end for rate in rates if rate is not None for end in rate.interval)


def place_row(
    label: str, rate: Rated | None, scale: ErrorScale, *, tone: str = "", base: Rated | None = None
) -> IntervalRow:
    """Place an accuracy; without one the row is empty."""
    if rate is None:
        return IntervalRow(label, None, tone)
    low, high = (scale.place(end) for end in rate.interval)
    return IntervalRow(
        label=label,
        rate=rate,
        tone=tone,
        point=scale.place(rate.accuracy),
        low=low,
        high=high,
        base=scale.place(base.accuracy) if base else None,
    )


def draw_intervals(entries: Iterable[tuple[str, str, Rated]]) -> IntervalPlot:
    """Draw accuracies given as label, tone and rate."""
    entries = list(entries)
    scale = fit_intervals(rate for _, _, rate in entries)
    rows = tuple(place_row(label, rate, scale, tone=tone) for label, tone, rate in entries)
    return IntervalPlot(rows, scale.marks())
