from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.reporting.charts.scales import (
    ErrorScale,
    Scale,
    fit_error_scale,
    fit_scale,
    trace_line,
)

RATES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_scale_places_and_keeps_inside() -> None:
    scale = Scale(0.5, 1.0)
    assert [scale.place(value) for value in (0.5, 0.75, 1.0, 0.2, 1.2)] == [0, 50, 100, 0, 100]


def test_ticks_are_round() -> None:
    assert Scale(0.52, 0.98).ticks() == (0.6, 0.7, 0.8, 0.9)


def test_fitted_scale_has_round_ends() -> None:
    assert fit_scale([0.532, 0.97]) == Scale(0.5, 1.0)
    assert fit_scale([]) == Scale(0.0, 1.0)


@given(RATES)
def test_fitted_scales_hold_all_values(values: list[float]) -> None:
    scale = fit_scale(values)
    assert 0 <= scale.low <= min(values) + 1e-9
    assert max(values) - 1e-9 <= scale.high <= 1
    assert scale.low < scale.high


@given(RATES)
def test_error_scales_keep_the_order(values: list[float]) -> None:
    scale = fit_error_scale(values)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@given(RATES)
def test_error_ticks_do_not_crowd(values: list[float]) -> None:
    scale = fit_error_scale(values)
    places = [scale.place(tick) for tick in scale.ticks()]
    assert all(right - left >= 8.9 for left, right in pairwise(places))


def test_halving_the_errors_takes_the_same_room() -> None:
    scale = ErrorScale(0.2, 0.95)
    places = [scale.place(value) for value in (0.2, 0.6, 0.8, 0.9, 0.95)]
    assert places == [0, 25, 50, 75, 100]


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [0.99, 1.0], [0.0, 1.0]])
def test_perfect_scores_have_a_place(values: list[float]) -> None:
    scale = fit_error_scale(values)
    assert scale.place(1.0) == 100
    assert scale.ticks()


def test_narrow_error_scales_still_have_ticks() -> None:
    assert len(fit_error_scale([0.911, 0.917]).ticks()) >= 2


def test_values_outside_a_scale_are_projected_but_not_placed() -> None:
    scale = Scale(0.5, 1.0)
    assert [scale.project(value) for value in (0.25, 0.75)] == [-50, 50]
    assert scale.place(0.25) == 0


def test_marks_are_the_ticks_in_percent() -> None:
    marks = ErrorScale(0.8, 0.96).marks()
    assert [mark.text for mark in marks] == ["80", "85", "90", "93", "95"]
    assert marks[0].place == 0


def test_lines() -> None:
    assert trace_line([(0, 1), (2.5, 3.125)]) == "M0 1L2.5 3.12"
    assert trace_line([]) == ""
    assert trace_line([(50, 3)]) == "M50 3L50 3", "a line onto itself with round caps is a dot"
