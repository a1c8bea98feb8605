from __future__ import annotations

from smallvision.reporting.charts.schedules import draw_schedules
from smallvision.reporting.view import StudyView


def test_shared_schedules_are_drawn_once(study: StudyView) -> None:
    (plot,) = draw_schedules(rung.run for rung in study.rungs)
    assert plot.runs == tuple(rung.name for rung in study.rungs)
    assert plot.restarts == ("2", "6")
    assert (plot.ends[-1].place, plot.ends[-1].text) == (100, "14")
    assert plot.top == "0.1"
    assert plot.path.startswith("M0 0L")
