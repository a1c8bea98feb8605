from __future__ import annotations

import pytest

from smallvision.records.schema import Reliability, ReliabilityBin
from smallvision.reporting.charts import reliability
from tests.support.study_records import make_binned_calibration


def test_dots_lie_where_they_should() -> None:
    sure = ReliabilityBin(low=0.9, high=1.0, n=75, confidence=1.0, accuracy=0.8)
    vague = ReliabilityBin(low=0.4, high=0.5, n=25, confidence=0.45, accuracy=0.45)
    found = Reliability(ece=0.15, nll=0.4, brier=0.2, bins=(vague, sure))
    low, high = reliability.draw_diagram("x", found).dots
    assert low.y == low.ideal
    assert high.x == reliability.LEFT + reliability.SIDE
    assert high.ideal == reliability.TOP
    assert high.y - high.ideal == pytest.approx(0.2 * reliability.SIDE)
    assert high.height == reliability.BARS
    assert low.height == pytest.approx(reliability.BARS / 3, abs=0.01)


def test_no_bins_are_no_dots() -> None:
    assert reliability.draw_diagram("x", Reliability(ece=0, nll=0, brier=0, bins=())).dots == ()


def test_both_diagrams_are_drawn() -> None:
    found = make_binned_calibration(1_000)
    before, after = reliability.draw_reliability(found)
    assert (before.figures, after.figures) == (found.before, found.after)
