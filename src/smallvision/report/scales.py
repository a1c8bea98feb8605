"""Where a number lands on an axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A stretch of numbers laid on 0 to 100 % of a drawing."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """The position in percent of the width, kept inside the drawing, two decimals."""
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def ticks(self, most: int = 6) -> tuple[float, ...]:
        """Round numbers inside the stretch, at most `most` of them."""
        step = round_step((self.high - self.low) / max(1, most - 1))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(round(number * step, 10) for number in range(first, last + 1))


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`.

    >>> round_step(0.03), round_step(0.2)
    (0.05, 0.2)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(m * power, 12) for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def fit_scale(values: Iterable[float], *, low: float = 0.0, high: float = 1.0) -> Scale:
    """A scale that holds all values between round ends and never leaves `low` to `high`."""
    values = [value for value in values if math.isfinite(value)]
    if not values:
        return Scale(low, high)
    span = max(max(values) - min(values), (high - low) / 50)
    step = round_step(span / 5)
    start = math.floor(min(values) / step + 1e-9) * step
    end = math.ceil(max(values) / step - 1e-9) * step
    return Scale(max(low, round(start, 10)), min(high, round(max(end, start + step), 10)))


def trace_line(points: Sequence[tuple[float, float]]) -> str:
    """SVG path data through points, in steps of a hundredth."""
    return " ".join(
        f"{'M' if index == 0 else 'L'}{x:.2f} {y:.2f}" for index, (x, y) in enumerate(points)
    )
