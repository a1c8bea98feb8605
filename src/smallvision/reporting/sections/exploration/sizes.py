"""The sizes of the pictures before they became images of one size, drawn to one scale."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.records.schema import OriginalSizesRecord
from smallvision.reporting.view import ExplorationView


@dataclass(frozen=True)
class SizeShown:
    """A size as a rectangle, in percent of the longest side of all."""

    words: str
    css: str
    width: int
    height: int
    across: float
    down: float


@dataclass(frozen=True)
class SizesSection:
    """What the section shows; `down` is the height of the drawing in percent of its width."""

    sizes: OriginalSizesRecord
    shown: tuple[SizeShown, ...]
    down: float


def gather(view: ExplorationView) -> SizesSection | None:
    """Collect what the section shows; None where all pictures had the size of the images."""
    record = view.found.record
    sizes, (_, H, W) = record.sizes, record.shape
    if sizes is None or (sizes.distinct == 1 and sizes.middle == (W, H)):
        return None
    found = {
        ("largest picture", "largest"): sizes.largest,
        ("median width and height", "middle"): sizes.middle,
        ("smallest picture", "smallest"): sizes.smallest,
        ("images of the data set", "ours"): (W, H),
    }
    longest = max(max(size) for size in found.values())
    shown = tuple(
        SizeShown(words, css, width, height, percent(width, longest), percent(height, longest))
        for (words, css), (width, height) in found.items()
    )
    return SizesSection(sizes, shown, max(one.down for one in shown))


def percent(part: int, whole: int) -> float:
    """A part in percent, so that it can still be seen."""
    return max(0.3, round(100 * part / whole, 2))
