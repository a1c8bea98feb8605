"""Precision and recall of each class on one scale."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import format_share
from smallvision.records.schema import Scores
from smallvision.reporting.charts.scales import fit_scale


@dataclass(frozen=True)
class ClassPlot:
    """The place of precision and recall of each class in percent, and the ends of the scale."""

    places: tuple[tuple[float, float], ...]
    low: str
    high: str


def plot_classes(scores: Scores) -> ClassPlot:
    """Lay out the classes on a scale that fits them."""
    rates = [rate for row in scores.per_class for rate in (row.precision, row.recall)]
    scale = fit_scale(rates)
    places = tuple(
        (scale.place(row.precision), scale.place(row.recall)) for row in scores.per_class
    )
    return ClassPlot(places, format_share(scale.low), format_share(scale.high))
