"""How often each pixel value occurs, and how many images each class has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.records.schema import ChannelStatistics
from smallvision.reporting.charts.scales import trace_line

COLOURS = ("red", "green", "blue")
FLAT = 0.8  # smallest over largest class, from here on no outline is drawn


@dataclass(frozen=True)
class Histogram:
    """The pixel values of one channel, in a box of 100 by 100."""

    css: str
    path: str


def draw_histograms(channels: Sequence[ChannelStatistics]) -> tuple[Histogram, ...]:
    """Draw the channels as steps on one scale; a channel without a colour is drawn in ink."""
    top = max((share for channel in channels for share in channel.histogram), default=0) or 1
    return tuple(
        Histogram(
            channel.name if channel.name in COLOURS else "grey",
            trace_steps([96 * share / top for share in channel.histogram]),
        )
        for channel in channels
    )


def trace_steps(heights: Sequence[float]) -> str:
    """SVG path data of the heights of bins of equal width: a histogram has no slopes."""
    points = [
        (100 * (place + edge) / len(heights), 100 - height)
        for place, height in enumerate(heights)
        for edge in (0, 1)
    ]
    return trace_line(points)


def outline_counts(counts: Sequence[int]) -> str:
    """SVG path data of counts, largest first, in a box of 100 by 100; empty if all are alike."""
    ranked = sorted(counts, reverse=True)
    # Balanced classes would be drawn as one grey block.
    if not ranked or ranked[-1] > FLAT * ranked[0]:
        return ""
    return f"{trace_steps([100 * count / (ranked[0] or 1) for count in ranked])}L100 100L0 100z"
