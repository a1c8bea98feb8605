from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from smallvision.reporting.charts.costs import LINE, draw_costs, fit_costs, mark_costs
from smallvision.reporting.view import RungView, StudyView
from tests.support.views import change_status


def test_rungs_lie_by_accuracy_and_cost(study: StudyView) -> None:
    chart = draw_costs(study.rungs, "wrn-aug")
    assert chart is not None
    assert chart.key == ((1, "mlp"), (2, "vgg10"), (3, "vgg10-aug"), (4, "wrn-aug"))
    for plot in chart.plots:
        points = {point.number: point.dot for point in plot.points}
        dots = [points[number] for number in (1, 2, 3, 4)]
        assert [dot.x for dot in dots] == sorted(dot.x for dot in dots), "each costs more"
        assert [-dot.y for dot in dots] == sorted(-dot.y for dot in dots), "and is better"
        assert [dot.css for dot in dots] == ["rung", "rung", "rung", "best"]
    minutes, latency = chart.plots
    assert minutes.points[0].dot.title == "wrn-aug: 91.1 %, 4 min 5 s"
    assert latency.points[0].dot.title == "wrn-aug: 91.1 %, 4.4 ms"


def test_the_ends_of_earlier_cycles_are_points_on_the_way(whole: StudyView) -> None:
    chart = draw_costs(whole.rungs, None)
    assert chart is not None
    minutes, latency = chart.plots
    points = {point.number: point for point in minutes.points}
    assert [dot.title.partition(":")[0] for dot in points[1].ends] == [
        "mlp, cycle 1, epoch 2",
        "mlp, cycle 2, epoch 6",
    ]
    assert points[1].steps[-1] == (points[1].ends[-1], points[1].dot)
    assert len(points[10].ends) == 3, "of an ensemble all ends of its snapshots"
    assert all(point.ends == () for point in latency.points)


def test_a_search_is_paid_for(study: StudyView) -> None:
    def place(rung: RungView) -> float:
        chart = draw_costs([rung, *study.rungs[1:]], None)
        assert chart is not None
        return next(point.dot.x for point in chart.plots[0].points if point.number == 1)

    first = study.rungs[0]
    searched = replace(first, run=change_status(first.run, search_seconds=120.0))
    assert place(searched) > place(first)


def test_numbers_do_not_lie_on_each_other(study: StudyView) -> None:
    twins = [study.rungs[1]] * 4
    chart = draw_costs(twins, None)
    assert chart is not None
    labels = [point.label for point in chart.plots[0].points]
    assert [b - a for a, b in itertools.pairwise(labels)] == pytest.approx([LINE] * 3)


def test_one_rung_is_no_figure(study: StudyView) -> None:
    assert draw_costs(study.rungs[:1], None) is None
    assert draw_costs(study.rungs[3:], None) is None, "the other one failed"


def test_a_rung_that_took_over_another_is_no_point_of_its_own(whole: StudyView) -> None:
    tuned = whole.rungs[8]
    assert tuned.tuning is not None
    assert tuned.tuning.best is not None
    first = tuned.tuning.best.model_copy(update={"number": 0})
    adopted = replace(
        tuned,
        run=change_status(tuned.run, seconds=0.0),
        tuning=tuned.tuning.model_copy(update={"best": first}),
    )
    chart = draw_costs([*whole.rungs[:2], adopted], None)
    assert chart is not None
    assert [name for _, name in chart.key] == ["mlp", "vgg10"]


@pytest.mark.parametrize(
    ("costs", "marks"),
    [
        ([1.1, 9], ["1", "2", "5", "10"]),
        ([0.3, 0.4], ["0.2", "0.5"]),
        ([0.01, 5000], ["0.01", "0.1", "1", "10", "100", "1000", "10000"]),
    ],
)
def test_costs_are_marked_at_round_numbers(costs: list[float], marks: list[str]) -> None:
    assert [mark.text for mark in mark_costs(fit_costs(costs))] == marks
