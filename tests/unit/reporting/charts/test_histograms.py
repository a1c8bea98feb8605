from __future__ import annotations

from smallvision.records.schema import ChannelStatistics
from smallvision.reporting.charts.histograms import draw_histograms, outline_counts


def channel(name: str, *histogram: float) -> ChannelStatistics:
    """Of a colour and a number of levels that no record has."""
    return ChannelStatistics.model_construct(name=name, mean=0.5, std=0.1, histogram=histogram)


def test_channels_share_a_scale_and_have_steps() -> None:
    drawn = draw_histograms((channel("red", 0.5, 0.5), channel("mystery", 0.0, 1.0)))
    assert [curve.css for curve in drawn] == ["red", "grey"]
    assert drawn[0].path == "M0 52L50 52L50 52L100 52"
    assert drawn[1].path == "M0 100L50 100L50 4L100 4"


def test_counts_are_outlined_largest_first() -> None:
    assert outline_counts((1, 4)) == "M0 0L50 0L50 75L100 75L100 100L0 100z"


def test_balanced_counts_have_no_outline() -> None:
    assert outline_counts((7,) * 40) == ""
    assert outline_counts((10, 9)) == ""
    assert outline_counts(()) == ""
