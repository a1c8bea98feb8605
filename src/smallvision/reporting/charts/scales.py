"""Where a number lands on an axis, and the parts that drawings share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mark:
    """A tick of an axis: its place in percent of the axis, and its label."""

    place: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point of a drawing, in percent of its width and height; a pointer shows the title."""

    x: float
    y: float
    css: str
    title: str


@dataclass(frozen=True)
class Scale:
    """A linear axis from `low` to `high`, on 0 to 100 % of a drawing."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Give the position in percent, kept inside the drawing, with two decimals."""
        return min(100.0, max(0.0, self.project(value)))

    def project(self, value: float) -> float:
        """Give the position in percent, which may lie outside the drawing."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def ticks(self, most: int = 6) -> tuple[float, ...]:
        """Round numbers on the axis, at most `most` of them."""
        step = round_step((self.high - self.low) / max(1, most - 1))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(round(number * step, 10) for number in range(first, last + 1))


def round_step(least: float) -> float:
    """Find the smallest of 1, 2, 5 times a power of ten that is not below `least`.

    >>> round_step(0.03), round_step(0.2)
    (0.05, 0.2)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(m * power, 12) for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def fit_scale(values: Iterable[float], *, low: float = 0.0, high: float = 1.0) -> Scale:
    """Fit a scale that holds all values between round ends and never leaves `low` to `high`."""
    values = list(values)
    if not values:
        return Scale(low, high)
    span = max(max(values) - min(values), (high - low) / 50)
    step = round_step(span / 5)
    start = math.floor(min(values) / step + 1e-9) * step
    end = math.ceil(max(values) / step - 1e-9) * step
    # Values that all sit at the upper end still need room below them.
    start = min(start, high - step)
    return Scale(max(low, round(start, 10)), min(high, round(max(end, start + step), 10)))


@dataclass(frozen=True)
class ErrorScale:
    """Accuracies spaced by the logarithm of the error.

    From 55 to 95 % a linear axis crowds all that matters into its last tenth; here each halving
    of the errors takes the same room. Errors below `least` share the right edge, for a
    perfect score has no logarithm.
    """

    low: float
    high: float
    least: float = 1e-4

    def place(self, value: float) -> float:
        """Give the position in percent of the width, kept inside the drawing, two decimals."""
        start, end, here = (self._depth(x) for x in (self.low, self.high, value))
        return round(100 * min(1.0, max(0.0, (here - start) / (end - start))), 2)

    def _depth(self, value: float) -> float:
        return -math.log(max(1.0 - value, self.least))

    def ticks(self, apart: float = 9.0) -> tuple[float, ...]:
        """Round accuracies at least `apart` percent of the width from each other."""
        highest = min(self.high, 1 - self.least)
        inside, between = (
            [tick for tick in ticks if self.low <= tick <= highest] for ticks in (ROUND, FINER)
        )
        if len(inside) < 3:
            inside, between = list(Scale(self.low, min(self.high, 1.0)).ticks()), []
        # A perfect score sits at the right edge, where no other figure may stand.
        inside, between = (
            [tick for tick in ticks if self.place(tick) <= 96] for ticks in (inside, between)
        )
        kept: list[float] = []
        # Rounder figures first, and from the top down: the highest marks are those the best rungs
        # are read against.
        for tick in (*reversed(inside), *reversed(between)):
            if all(abs(self.place(other) - self.place(tick)) >= apart for other in kept):
                kept.append(tick)
        return tuple(sorted(kept))

    def marks(self, apart: float = 9.0) -> tuple[Mark, ...]:
        """The ticks with their labels, in percent without the sign."""
        return tuple(Mark(self.place(tick), f"{100 * tick:g}") for tick in self.ticks(apart))


ROUND = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985,
         0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999)  # fmt: skip
FINER = (0.1, 0.3, 0.55, 0.65, 0.75)  # where there is room between those


def fit_error_scale(values: Iterable[float]) -> ErrorScale:
    """Fit an error scale that holds all accuracies with a little room at both ends."""
    errors = sorted(1.0 - value for value in values)
    positive = [error for error in errors if error > 1e-9]
    if not positive:
        return ErrorScale(0.9, 0.999, least=1e-3)
    least, most = positive[0], max(positive[-1], 1.2 * positive[0])
    # Touching 100 % is drawn as half the smallest error seen.
    if errors[0] <= 1e-9:
        least /= 2
    room = (most / least) ** 0.04
    return ErrorScale(max(0.0, 1 - most * room), 1 - least / room, least=least / room)


def trace_line(points: Sequence[tuple[float, float]]) -> str:
    """SVG path data through points, in steps of a hundredth.

    >>> trace_line([(0, 1), (2.5, 3)])
    'M0 1L2.5 3'
    """
    # A lone point draws nothing as a line; a line onto itself with round caps is a dot.
    points = [*points, *points] if len(points) == 1 else points
    parts = (f"{round(x, 2):g} {round(y, 2):g}" for x, y in points)
    return "".join(f"{'L' if index else 'M'}{part}" for index, part in enumerate(parts))
