from __future__ import annotations

import pytest

from smallvision.records.schema import Reliability, ReliabilityBin
from smallvision.reporting.charts import reliability
from tests.support.study_records import make_binned_calibration


def test_dots_lie_where_they_should() -> None:
    sure = ReliabilityBin(low=0.9, high=1.0, n=75, confidence=1.0, accuracy=0.8)
    vague = ReliabilityBin(low=0.4, high=0.5, n=25, confidence=0.45, accuracy=0.44)
    found = Reliability(ece=0.15, nll=0.4, brier=0.2, bins=(vague, sure))
    low, high = reliability.draw_diagram("x", found).dots
    assert high.x == reliability.LEFT + reliability.SIDE
    assert high.y == pytest.approx(reliability.TOP + 0.2 * reliability.SIDE)
    assert high.height == reliability.BARS
    assert low.height == pytest.approx(reliability.BARS / 3, abs=0.01)
    assert low.low > low.y > low.high, "an interval goes from below its dot to above it"


@pytest.mark.parametrize(
    ("n", "css"), [(10_000, "sure off"), (400, "sure on"), (50, "vague on"), (4, "faint on")]
)
def test_few_images_are_faint_and_prove_nothing(n: int, css: str) -> None:
    one = ReliabilityBin(low=0.7, high=0.8, n=n, confidence=0.77, accuracy=0.75)
    assert reliability.place_bin(one, n, n).css == css


def test_no_bins_are_no_dots() -> None:
    assert reliability.draw_diagram("x", Reliability(ece=0, nll=0, brier=0, bins=())).dots == ()


def test_both_diagrams_are_drawn() -> None:
    found = make_binned_calibration(1_000)
    before, after = reliability.draw_reliability(found)
    assert (before.figures, after.figures) == (found.before, found.after)
