"""Accuracy along measured properties of the images, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.format import format_setting
from smallvision.records.schema import PropertySlice
from smallvision.reporting.charts.intervals import IntervalPlot, fit_intervals, place_row

APART = 20.0  # percent between marks: two of these plots share the width of one


@dataclass(frozen=True)
class SlicePlot:
    """The accuracy along one property."""

    name: str
    sentence: str
    plot: IntervalPlot


def draw_slices(slices: Sequence[PropertySlice]) -> tuple[SlicePlot, ...]:
    """Draw each property; one scale for all lets them be compared."""
    scale = fit_intervals(part for one in slices for part in one.bins)
    marks = scale.marks(APART)
    return tuple(
        SlicePlot(
            name=one.name,
            sentence=one.sentence,
            plot=IntervalPlot(
                tuple(place_row(name_range(part.low, part.high), part, scale) for part in one.bins),
                marks,
            ),
        )
        for one in slices
    )


def name_range(low: float, high: float) -> str:
    """The values of a bin, `0.08 to 0.35`."""
    return f"{format_setting(float(low))} to {format_setting(float(high))}"
