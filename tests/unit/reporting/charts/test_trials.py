from __future__ import annotations

import pytest

from smallvision.records.schema import Choices, FloatRange
from smallvision.reporting.charts import trials
from tests.support.study_folder import make_search

LOG = FloatRange(key="lr", low=0.01, high=1.0, log=True)
FLAT = FloatRange(key="lr", low=16, high=64)
CHOICE = Choices(key="lr", choices=(64, 128, 256))


@pytest.mark.parametrize(
    ("dimension", "values", "places"),
    [
        (LOG, (0.01, 0.1, 1.0), [0, 50, 100]),
        (FLAT, (16, 40, 64), [0, 50, 100]),
        (CHOICE, (64, 128, 256), [0, 50, 100]),
        (Choices(key="lr", choices=(3,)), (3,), [50]),
        (LOG, (0.0, 7.0), [None, 100]),
        (CHOICE, (7,), [None]),
    ],
)
def test_values_on_their_axes(
    dimension: FloatRange | Choices, values: tuple[float, ...], places: list[float | None]
) -> None:
    assert [trials.place_value(dimension, {"lr": value}) for value in values] == places
    assert trials.place_value(dimension, {}) is None


def test_axes_are_marked_at_their_ends_or_choices() -> None:
    assert [mark.text for mark in trials.mark_dimension(LOG)] == ["0.01", "1"]
    assert [mark.text for mark in trials.mark_dimension(CHOICE)] == ["64", "128", "256"]


def test_every_setting_has_a_plot_of_all_trials_with_an_accuracy() -> None:
    drawn = trials.draw_trials(make_search())
    assert [plot.key for plot in drawn.plots] == [
        "optimizer.lr",
        "optimizer.weight_decay",
        "batch_size",
    ]
    for plot in drawn.plots:
        assert len(plot.dots) == 9, "the failed trial has no accuracy"
        assert [dot.css for dot in plot.dots].count("pruned") == 3
        assert plot.dots[-1].css == "best", "the best trial lies on top"
        assert plot.dots[-1].y == min(dot.y for dot in plot.dots)


def test_trials_speak() -> None:
    record = make_search()
    said = [trials.describe_trial(trial) for trial in record.trials]
    assert said[3] == "Trial 3: 86.8 %. lr 0.17, weight_decay 0.00084, batch_size 64."
    assert "stopped early at 51.2 %" in said[2]
    assert "failed: the loss became NaN" in said[6]


def test_a_search_that_reached_nothing_has_axes() -> None:
    record = make_search()
    failed = record.model_copy(update={"trials": (record.trials[6],), "best": None})
    drawn = trials.draw_trials(failed)
    assert all(plot.dots == () and plot.marks for plot in drawn.plots)
    assert drawn.marks
