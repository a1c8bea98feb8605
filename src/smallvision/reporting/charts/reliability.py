"""Reliability diagrams: accuracy against confidence, with the number of images."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.records.schema import Calibration, Reliability, ReliabilityBin
from smallvision.stats.intervals import wilson_interval

# The drawing in its own units, which are pixels at full size.
LEFT, TOP, SIDE, BARS = 44.0, 10.0, 270.0, 44.0
# The wider the interval of a bin, the fainter it is drawn.
WIDTHS = ((0.1, "sure"), (0.3, "vague"), (1.0, "faint"))


@dataclass(frozen=True)
class BinDot:
    """One bin: its point with the 95 % interval of its accuracy, and the bar of its images.

    The CSS class tells how wide the interval is, and whether the diagonal lies outside of it.
    """

    x: float
    y: float
    low: float
    high: float
    css: str
    radius: float
    left: float
    width: float
    height: float


@dataclass(frozen=True)
class Diagram:
    """One reliability diagram, with the share of the images below it."""

    title: str
    figures: Reliability
    dots: tuple[BinDot, ...]


def draw_reliability(found: Calibration) -> tuple[Diagram, Diagram]:
    """Draw the diagrams before and after the logits are divided by the temperature."""
    return (
        draw_diagram("before scaling", found.before),
        draw_diagram("after scaling", found.after),
    )


def draw_diagram(title: str, found: Reliability) -> Diagram:
    """Place the bins of one diagram."""
    total = sum(one.n for one in found.bins) or 1
    most = max((one.n for one in found.bins), default=0) or 1
    return Diagram(title, found, tuple(place_bin(one, total, most) for one in found.bins if one.n))


def place_bin(one: ReliabilityBin, total: int, most: int) -> BinDot:
    """Place a bin, of which there are `total` images in all and at most `most` in another."""
    low, high = wilson_interval(round(one.accuracy * one.n), one.n)
    tone = next(css for width, css in WIDTHS if high - low <= width)
    return BinDot(
        x=round(LEFT + SIDE * one.confidence, 2),
        y=lift(one.accuracy),
        low=lift(low),
        high=lift(high),
        css=f"{tone} {'on' if low <= one.confidence <= high else 'off'}",
        # The area is in proportion to the number of images: few images mean little.
        radius=round(2.5 + 5 * math.sqrt(one.n / total), 2),
        left=round(LEFT + SIDE * one.low + 0.5, 2),
        width=round(max(1.0, SIDE * (one.high - one.low) - 1), 2),
        height=round(BARS * one.n / most, 2),
    )


def lift(rate: float) -> float:
    """The height of a rate in the drawing, from its top."""
    return round(TOP + SIDE * (1 - rate), 2)
