"""Reliability diagrams: accuracy against confidence, with the number of images."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.records.schema import Calibration, Reliability

# The drawing in its own units, which are pixels at full size.
LEFT, TOP, SIDE, BARS = 44.0, 10.0, 270.0, 44.0


@dataclass(frozen=True)
class BinDot:
    """One bin: its point, the height it should be at, and the bar of its images."""

    x: float
    y: float
    ideal: float
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
    dots = tuple(
        BinDot(
            x=round(LEFT + SIDE * one.confidence, 2),
            y=round(TOP + SIDE * (1 - one.accuracy), 2),
            ideal=round(TOP + SIDE * (1 - one.confidence), 2),
            # The area is in proportion to the number of images: few images mean little.
            radius=round(2.5 + 5 * math.sqrt(one.n / total), 2),
            left=round(LEFT + SIDE * one.low + 0.5, 2),
            width=round(max(1.0, SIDE * (one.high - one.low) - 1), 2),
            height=round(BARS * one.n / most, 2),
        )
        for one in found.bins
    )
    return Diagram(title, found, dots)
