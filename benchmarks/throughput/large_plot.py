"""Figures by a number of images on a logarithmic axis, drawn as an SVG file for a document."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from smallvision.reporting.charts.scales import Scale, trace_line

WIDTH, HEIGHT, GAP = 360, 230, 60  # of a panel, and between two, in pixels
LEFT, TOP = 50, 40
# Dash patterns tell lines apart without colours.
DASHES = ("", "6 3", "2 3")
STYLE = """
text{font:12px system-ui,sans-serif;fill:#333}
.line{fill:none;stroke:#0a5fb4;stroke-width:2}
.dot{fill:#0a5fb4}
.axis,.limit{fill:none;stroke:#888}
.limit{stroke:#b4460a;stroke-dasharray:1 3;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#6cb2ff}.dot{fill:#6cb2ff}
.limit{stroke:#ff9d5c}}
"""


@dataclass(frozen=True)
class Line:
    """Points `(images, value)` under a name."""

    name: str
    points: Sequence[tuple[float, float]]


def draw_lines(panels: Sequence[tuple[str, Sequence[Line], float]]) -> str:
    """Draw panels side by side: a title, lines, and the limit that they are to stay below."""
    width = LEFT + len(panels) * (WIDTH + GAP)
    body = ""
    for i, panel in enumerate(panels):
        drawn = "".join(draw_panel(*panel))
        body += f'<g transform="translate({LEFT + i * (WIDTH + GAP)} {TOP})">{drawn}</g>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 2 * TOP}" '
        f'role="img"><title>{escape(" and ".join(panel[0] for panel in panels))}</title>'
        f"<style>{STYLE}</style>{body}</svg>\n"
    )


def draw_panel(title: str, lines: Sequence[Line], limit: float) -> Iterator[str]:
    """Yield the parts of one panel."""
    numbers = [n for line in lines for n, _ in line.points]
    across = Scale(math.log10(min(numbers)) - 0.1, math.log10(max(numbers)) + 0.1)
    up = Scale(0, 1.15 * max(limit, *(value for line in lines for _, value in line.points)))

    def place(n: float, value: float) -> tuple[float, float]:
        x, y = across.place(math.log10(n)), up.place(value)
        return x * WIDTH / 100, HEIGHT - y * HEIGHT / 100

    yield f'<text x="0" y="-12">{escape(title)}</text>'
    yield f'<path class="axis" d="M0 0V{HEIGHT}H{WIDTH}"/>'
    for tick in up.ticks():
        y = place(1, tick)[1] if tick else HEIGHT
        yield f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>'
    for power in range(math.ceil(across.low), math.floor(across.high) + 1):
        x = place(10**power, 0)[0]
        yield f'<path class="axis" d="M{x:.1f} {HEIGHT}v4"/>'
        yield f'<text x="{x:.1f}" y="{HEIGHT + 18}" text-anchor="middle">{10**power:,}</text>'
    y = place(10**across.low, limit)[1]
    yield f'<path class="limit" d="M0 {y:.1f}H{WIDTH}"/>'
    yield f'<text x="{WIDTH}" y="{y - 5:.1f}" text-anchor="end">allowed</text>'
    for number, line in enumerate(lines):
        places = [place(*point) for point in line.points]
        dash = f' stroke-dasharray="{DASHES[number]}"' if DASHES[number] else ""
        yield f'<path class="line" d="{trace_line(places)}"{dash}/>'
        yield from (f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places)
        top = HEIGHT - 12 - 18 * (len(lines) - 1 - number)
        yield f'<path class="line" d="M12 {top}h28"{dash}/>'
        yield f'<text x="46" y="{top + 4}">{escape(line.name)}</text>'
