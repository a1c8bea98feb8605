from __future__ import annotations

from itertools import pairwise

from smallvision.reporting.charts import slices
from smallvision.reporting.view import StudyView


def test_properties_share_a_scale(whole: StudyView) -> None:
    assert whole.errors is not None
    bright, contrast = slices.draw_slices(whole.errors.record.slices)
    assert (bright.name, contrast.name) == ("brightness", "contrast")
    assert bright.plot.marks == contrast.plot.marks
    points = [row.point for row in bright.plot.rows]
    assert points == sorted(points)
    assert all(b.place - a.place >= slices.APART for a, b in pairwise(bright.plot.marks))
    assert bright.plot.rows[0].label == "0.08 to 0.35"


def test_no_properties_are_no_plots() -> None:
    assert slices.draw_slices(()) == ()
