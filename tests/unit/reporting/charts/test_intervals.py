from __future__ import annotations

from smallvision.reporting.charts.intervals import draw_intervals, fit_intervals, place_row
from tests.support.study_records import score_hits


def test_rows_lie_in_the_order_of_their_accuracy() -> None:
    rates = [score_hits(hits, 1_000) for hits in (700, 900, 950)]
    plot = draw_intervals([(str(rate.accuracy), "", rate) for rate in rates])
    assert [row.label for row in plot.rows] == ["0.7", "0.9", "0.95"]
    points = [row.point for row in plot.rows]
    assert points == sorted(points)
    assert all(0 <= row.low < row.point < row.high <= 100 for row in plot.rows)


def test_a_row_knows_what_it_is_compared_with() -> None:
    low, high = score_hits(700, 1_000), score_hits(900, 1_000)
    scale = fit_intervals([low, None, high])
    row = place_row("high", high, scale, base=low)
    assert row.base == place_row("low", low, scale).point


def test_a_row_without_an_accuracy_is_empty() -> None:
    row = place_row("failed", None, fit_intervals([None]))
    assert (row.rate, row.point, row.base) == (None, 0, None)
