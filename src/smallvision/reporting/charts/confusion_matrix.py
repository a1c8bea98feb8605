"""The confusion matrix: a table of numbers when it is small, a drawing when it is large."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.records.schema import Scores
from smallvision.text import show_name

TABLE_CLASSES = 20  # as many columns as a wide screen holds with numbers one can read
LEVELS = 9
PAIRS = 10


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and the CSS class of its tone."""

    text: str
    css: str


@dataclass(frozen=True)
class Pair:
    """Images of one class that were predicted as another."""

    true: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class Matrix:
    """What the page draws: `rows` for a table, or `paths` by darkness for a drawing."""

    class_names: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    paths: tuple[tuple[str, str], ...]
    pairs: tuple[Pair, ...]
    pairs_total: int
    errors: int

    @property
    def is_table(self) -> bool:
        """Whether every number can be shown."""
        return bool(self.rows)


def draw_matrix(scores: Scores) -> Matrix:
    """Shade each cell by its share of the true class."""
    supports = tuple(sum(row) for row in scores.confusion)
    pairs = find_pairs(scores, supports)
    # Errors are a few percent of a row where hits are most of it: each gets a scale of its own.
    worst = max((pair.share for pair in pairs), default=0.0)
    cells = {
        (i, j): shade_cell(count, supports[i], worst, hit=i == j)
        for i, row in enumerate(scores.confusion)
        for j, count in enumerate(row)
        if count or len(supports) <= TABLE_CLASSES
    }
    K = len(supports)
    small = K <= TABLE_CLASSES
    return Matrix(
        class_names=scores.class_names,
        rows=tuple(tuple(cells[i, j] for j in range(K)) for i in range(K)) if small else (),
        paths=() if small else trace_cells(cells),
        pairs=pairs[:PAIRS],
        pairs_total=len(pairs),
        errors=sum(pair.count for pair in pairs),
    )


def find_pairs(scores: Scores, supports: tuple[int, ...]) -> tuple[Pair, ...]:
    """All confused pairs, the most frequent first; ties keep the order of the classes."""
    names = scores.class_names
    pairs = [
        Pair(names[i], names[j], count, count / supports[i])
        for i, row in enumerate(scores.confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.count))


def shade_cell(count: int, support: int, worst: float, *, hit: bool) -> Cell:
    """Pick one of nine tones: hits against the whole row, errors against the worst one."""
    if count == 0 or support == 0:
        return Cell(str(count), "zero")
    share = count / support if hit else count / support / worst
    level = min(LEVELS, max(1, math.ceil(LEVELS * share)))
    return Cell(str(count), f"{'hit' if hit else 'miss'}-{level}")


def trace_cells(cells: dict[tuple[int, int], Cell]) -> tuple[tuple[str, str], ...]:
    """One SVG path per tone: a matrix of 1,000 classes stays a few strings."""
    paths: dict[str, list[str]] = {}
    for (i, j), cell in cells.items():
        paths.setdefault(cell.css, []).append(f"M{j} {i}h1v1h-1z")
    return tuple((css, "".join(parts)) for css, parts in sorted(paths.items()))


def list_cells(scores: Scores) -> dict[str, list[str] | list[list[int]]]:
    """List the rows of a large matrix as column, count, column, count…, for the page's script."""
    if len(scores.confusion) <= TABLE_CLASSES:
        return {}
    rows = [
        [number for j, count in enumerate(row) if count for number in (j, count)]
        for row in scores.confusion
    ]
    return {"names": list(map(show_name, scores.class_names)), "rows": rows}
