"""Precision, recall and F1 of each class, with their intervals, on one scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from smallvision.format import format_share
from smallvision.records.schema import ClassScore, Interval, Scores
from smallvision.reporting.charts.scales import fit_scale
from smallvision.stats.intervals import f1_interval, wilson_interval


@dataclass(frozen=True)
class ScoreRow:
    """A class: its scores, the intervals of recall and F1, and places in percent of the width.

    A class without images has no interval.
    """

    scores: ClassScore
    recall: Interval | None
    f1: Interval | None
    precision_place: float
    recall_place: float
    whisker: tuple[float, float] | None


@dataclass(frozen=True)
class ClassPlot:
    """The rows, and the ends of the scale."""

    rows: tuple[ScoreRow, ...]
    low: str
    high: str


def plot_classes(scores: Scores) -> ClassPlot:
    """Lay out the classes on a scale that fits them and the intervals of their recall."""
    found = list(find_intervals(scores))
    ends = [end for recall, _ in found if recall is not None for end in recall]
    rates = [rate for row in scores.per_class for rate in (row.precision, row.recall)]
    scale = fit_scale([*rates, *ends])
    rows = tuple(
        ScoreRow(
            scores=row,
            recall=recall,
            f1=f1,
            precision_place=scale.place(row.precision),
            recall_place=scale.place(row.recall),
            whisker=(scale.place(recall[0]), scale.place(recall[1])) if recall else None,
        )
        for row, (recall, f1) in zip(scores.per_class, found, strict=True)
    )
    return ClassPlot(rows, format_share(scale.low), format_share(scale.high))


def find_intervals(scores: Scores) -> Iterator[tuple[Interval | None, Interval | None]]:
    """The intervals of recall and F1 of each class, from the confusion matrix."""
    said = [sum(column) for column in zip(*scores.confusion, strict=True)]
    for k, row in enumerate(scores.confusion):
        images = sum(row)
        yield (
            wilson_interval(row[k], images) if images else None,
            f1_interval(row[k], images, said[k]) if images else None,
        )
