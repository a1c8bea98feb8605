"""Ten families of patterns; each turns coordinates into a field that is positive inside.

Every family looks the same in a mirror, so that a left-right flip keeps the label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Field: TypeAlias = npt.NDArray[np.float32]

TILT = np.radians(15)  # up to this angle rows stay rows and columns stay columns


@dataclass(frozen=True, eq=False)
class Canvas:
    """Coordinates and random choices of n pictures.

    Attributes:
        x, y: `(n, S, S)` coordinates around each pattern's centre, slightly turned; the
            picture's half width is about 1.
        frequency: `(n, 1, 1)` cycles per unit of length.
        phase: `(n, 1, 1)` in [0, 2 pi).
        coin: `(n, 1, 1)`, -1 or 1.
        dots: `(n, 7, 2)` positions in [-1, 1].
    """

    x: Field
    y: Field
    frequency: Field
    phase: Field
    coin: Field
    dots: Field

    def take(self, chosen: npt.NDArray[np.bool_]) -> Canvas:
        """Keep some of the pictures."""
        return Canvas(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def make_canvas(n: int, side: int, rng: np.random.Generator) -> Canvas:
    """Draw the random choices of n pictures of `side` pixels."""

    def uniform(low: float, high: float) -> Field:
        return rng.uniform(low, high, (n, 1, 1)).astype(np.float32)

    axis = ((np.arange(side) + 0.5) * (2 / side) - 1).astype(np.float32)
    centre_x, centre_y = uniform(-0.4, 0.4), uniform(-0.4, 0.4)
    zoom, angle = uniform(0.8, 1.25), uniform(-TILT, TILT)
    x, y = (axis[None, None, :] - centre_x) * zoom, (axis[None, :, None] - centre_y) * zoom
    cosine, sine = np.cos(angle), np.sin(angle)
    return Canvas(
        x=cosine * x - sine * y,
        y=sine * x + cosine * y,
        frequency=uniform(1.4, 2.6),
        phase=uniform(0, 2 * np.pi),
        coin=np.sign(uniform(-1, 1)),
        dots=rng.uniform(-1, 1, (n, 7, 2)).astype(np.float32),
    )


def rows(c: Canvas) -> Field:
    """Draw horizontal stripes."""
    return _wave(c, c.y)


def columns(c: Canvas) -> Field:
    """Draw vertical stripes."""
    return _wave(c, c.x)


def diagonals(c: Canvas) -> Field:
    """Draw diagonal stripes."""
    return _wave(c, (c.x + c.coin * c.y) * np.float32(np.sqrt(0.5)))


def checkers(c: Canvas) -> Field:
    """Draw a board of squares."""
    return _wave(c, c.x) * _wave(c, c.y)


def rings(c: Canvas) -> Field:
    """Draw circles around the centre."""
    return _wave(c, _radius(c))


def rays(c: Canvas) -> Field:
    """Draw seven beams from the centre."""
    return np.sin(7 * np.arctan2(c.y, c.x) + c.phase)


def disc(c: Canvas) -> Field:
    """Draw one filled circle."""
    return _edge(c.frequency * 0.24 - _radius(c))


def cross(c: Canvas) -> Field:
    """Draw a plus sign."""
    near, far = _sorted_distances(c)
    size = c.frequency * 0.33
    return _edge(np.minimum(size * 0.3 - near, size - far))


def triangle(c: Canvas) -> Field:
    """Draw a filled triangle that points up or down."""
    size = c.frequency * 0.2
    y = c.y * c.coin
    slanted = (np.abs(c.x) * np.float32(np.sqrt(3)) + y) / 2
    return _edge(size - np.maximum(slanted, -y))


def spots(c: Canvas) -> Field:
    """Draw seven small dots anywhere."""
    field = np.full_like(c.x, -np.inf)
    for dot in range(c.dots.shape[1]):
        x, y = c.dots[:, dot, 0, None, None], c.dots[:, dot, 1, None, None]
        np.maximum(field, 0.17 - np.hypot(c.x - x, c.y - y), out=field)
    return _edge(field)


def _wave(c: Canvas, distance: Field) -> Field:
    wave: Field = np.sin(np.float32(2 * np.pi) * c.frequency * distance + c.phase)
    return wave


def _edge(distance: Field) -> Field:
    """Steepen a signed distance, so that shapes have clear but soft borders."""
    return distance * np.float32(8)


def _radius(c: Canvas) -> Field:
    return np.hypot(c.x, c.y)


def _sorted_distances(c: Canvas) -> tuple[Field, Field]:
    x, y = np.abs(c.x), np.abs(c.y)
    return np.minimum(x, y), np.maximum(x, y)


# In label order.
PATTERNS: dict[str, Callable[[Canvas], Field]] = {
    "rows": rows,
    "columns": columns,
    "diagonals": diagonals,
    "checkers": checkers,
    "rings": rings,
    "rays": rays,
    "disc": disc,
    "cross": cross,
    "triangle": triangle,
    "spots": spots,
}
