"""Reliability diagrams: how often the model is right where it says how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.reporting.scores import Calibration, Reliability
from smallvision.reporting.view import Study

# The drawing in its own units, which are pixels at full size.
LEFT, TOP, SIDE, FLOOR, BARS = 44.0, 10.0, 270.0, 340.0, 44.0


@dataclass(frozen=True)
class Dot:
    """One bin: its point, the point it should be at, and the bar of its images."""

    x: float
    y: float
    ideal: float
    radius: float
    left: float
    width: float
    height: float


@dataclass(frozen=True)
class Diagram:
    """One reliability diagram with the share of the images below it."""

    title: str
    figures: Reliability
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class Trust:
    """Both diagrams, and in words what the temperature did."""

    on: str
    diagrams: tuple[Diagram, Diagram]
    sentence: str
    temperature: float


def draw_trust(study: Study) -> Trust | None:
    """Draw the test set's calibration, or the winner's on validation where there is no test."""
    card, winner = study.scorecard, study.winner
    if card is not None and card.calibration is not None:
        return draw_calibration(card.calibration, "test")
    if winner is not None and winner.outcome.calibration is not None:
        return draw_calibration(winner.outcome.calibration, "validation")
    return None


def draw_calibration(found: Calibration, on: str) -> Trust:
    """Draw the diagrams before and after."""
    before = draw_diagram("before scaling", found.before)
    after = draw_diagram("after scaling", found.after)
    return Trust(on, (before, after), describe_temperature(found), found.temperature)


def describe_temperature(found: Calibration) -> str:
    """Say what the temperature did, and whether it helped."""
    start = f"Dividing the logits by a temperature of {found.temperature:.2f}"
    if math.isclose(found.temperature, 1.0, abs_tol=0.005):
        return f"{start} leaves the probabilities as they were."
    softer = found.temperature > 1
    how = (
        "softens probabilities that claimed too much" if softer else "sharpens timid probabilities"
    )
    better = found.after.ece < found.before.ece
    effect = "which brought them closer to" if better else "which did not bring them closer to"
    return f"{start} {how}, {effect} how often the model is right. It changes no answer."


def draw_diagram(title: str, found: Reliability) -> Diagram:
    """Place the bins of one diagram."""
    total = sum(one.n for one in found.bins) or 1
    most = max((one.n for one in found.bins), default=0) or 1
    dots = tuple(
        Dot(
            x=round(LEFT + SIDE * one.confidence, 2),
            y=round(TOP + SIDE * (1 - one.accuracy), 2),
            ideal=round(TOP + SIDE * (1 - one.confidence), 2),
            # Area goes with the number of images: a far point of a few images means little.
            radius=round(2.5 + 5 * math.sqrt(one.n / total), 2),
            left=round(LEFT + SIDE * one.low + 0.5, 2),
            width=round(max(1.0, SIDE * (one.high - one.low) - 1), 2),
            height=round(BARS * one.n / most, 2),
        )
        for one in found.bins
    )
    return Diagram(title, found, dots)
