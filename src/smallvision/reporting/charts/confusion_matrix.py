"""The confusion matrix: a table of numbers when it is small, a drawing when it is large."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from smallvision.format import format_share
from smallvision.reporting.charts.scales import fit_scale
from smallvision.reporting.view import Scorecard

TABLE_CLASSES = 20  # as many columns as a wide screen holds with numbers one can read
LEVELS = 9
PAIRS = 10


@dataclass(frozen=True)
class Cell:
    """How many images of one class were called another, and how dark that is."""

    count: int
    css: str


@dataclass(frozen=True)
class Pair:
    """Images of one class that were called another."""

    true: str
    called: str
    count: int
    share: float


@dataclass(frozen=True)
class Matrix:
    """What the page draws: `rows` for a table, or `paths` by darkness for a drawing."""

    class_names: tuple[str, ...]
    supports: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    paths: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]
    pairs_total: int
    errors: int

    @property
    def is_table(self) -> bool:
        """Whether every number can be shown."""
        return bool(self.rows)


def draw_matrix(card: Scorecard) -> Matrix:
    """Shade each cell by its share of the true class."""
    supports = tuple(sum(row) for row in card.confusion)
    pairs = find_pairs(card, supports)
    # Mistakes are a few percent where hits are most of a row: each gets a scale of its own.
    worst = max((pair.share for pair in pairs), default=0.0)
    cells = {
        (i, j): shade_cell(count, supports[i], worst, hit=i == j)
        for i, row in enumerate(card.confusion)
        for j, count in enumerate(row)
        if count or len(supports) <= TABLE_CLASSES
    }
    K = len(supports)
    small = K <= TABLE_CLASSES
    return Matrix(
        class_names=card.class_names,
        supports=supports,
        rows=tuple(tuple(cells[i, j] for j in range(K)) for i in range(K)) if small else (),
        paths=() if small else trace_cells(cells),
        pairs=pairs[:PAIRS],
        pairs_total=len(pairs),
        errors=sum(pair.count for pair in pairs),
    )


def find_pairs(card: Scorecard, supports: tuple[int, ...]) -> tuple[Pair, ...]:
    """All confused pairs, the most frequent first; ties keep the order of the classes."""
    names = card.class_names
    pairs = [
        Pair(names[i], names[j], count, count / supports[i])
        for i, row in enumerate(card.confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.count))


def shade_cell(count: int, support: int, worst: float, *, hit: bool) -> Cell:
    """Pick one of nine tones: hits against the whole row, mistakes against the worst one."""
    if count == 0 or support == 0:
        return Cell(count, "zero")
    share = count / support if hit else count / support / worst
    level = min(LEVELS, max(1, math.ceil(LEVELS * share)))
    return Cell(count, f"{'hit' if hit else 'miss'}-{level}")


def trace_cells(cells: dict[tuple[int, int], Cell]) -> tuple[tuple[str, str], ...]:
    """One SVG path per tone: a matrix of 1,000 classes stays a few strings."""
    paths: dict[str, list[str]] = {}
    for (i, j), cell in cells.items():
        if cell.count:
            paths.setdefault(cell.css, []).append(f"M{j} {i}h1v1h-1z")
    return tuple((css, "".join(parts)) for css, parts in sorted(paths.items()))


@dataclass(frozen=True)
class ClassPlot:
    """Precision and recall of each class on one scale, in percent of its width."""

    places: tuple[tuple[float, float], ...]
    start: str
    end: str


def plot_classes(card: Scorecard) -> ClassPlot:
    """Lay the classes' precision and recall on a scale that fits them."""
    rates = [rate for row in card.per_class for rate in (row.precision, row.recall)]
    scale = fit_scale(rates)
    places = tuple((scale.place(row.precision), scale.place(row.recall)) for row in card.per_class)
    return ClassPlot(places, format_share(scale.low), format_share(scale.high))


def list_cells(card: Scorecard) -> dict[str, Any]:
    """List the rows of a large matrix as column, count, column, count…, for the page's script."""
    if len(card.confusion) <= TABLE_CLASSES:
        return {}
    rows = [
        [number for j, count in enumerate(row) if count for number in (j, count)]
        for row in card.confusion
    ]
    return {"names": list(card.class_names), "rows": rows}
