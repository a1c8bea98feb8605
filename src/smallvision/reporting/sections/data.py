"""The data section: classes with their pictures, the balance, the pixels, and the split."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import format_count
from smallvision.reporting.charts.scales import trace_line
from smallvision.reporting.pictures import Channel, Exploration, Picture
from smallvision.reporting.view import Study

FIRST_CLASSES = 20  # shown at once; more wait behind a click
SKYLINE_CLASSES = 30  # from here on one outline shows the balance better than rows of bars
CHANNEL_CSS = {"red": "red", "green": "green", "blue": "blue"}
FLAT = 0.8  # smallest over largest class, from here on no outline is drawn
SHEET_ROWS = 6  # of the random images, beside the headline


@dataclass(frozen=True)
class Specimen:
    """A class: how many images it has beside the largest class, and its pictures."""

    name: str
    count: int
    share: float
    average: Picture | None
    strip: Picture | None


@dataclass(frozen=True)
class Specimens:
    """All classes, the first ones apart."""

    first: tuple[Specimen, ...]
    rest: tuple[Specimen, ...]
    pictured: int

    @property
    def unpictured(self) -> bool:
        """Whether some classes have no pictures."""
        return self.pictured < len(self.first) + len(self.rest)


@dataclass(frozen=True)
class Skyline:
    """The number of images of many classes, sorted, in a box of K by 100; no path if balanced."""

    heights: tuple[int, ...]
    path: str
    sentence: str


@dataclass(frozen=True)
class Histogram:
    """One channel's distribution in a box of 100 by 100."""

    css: str
    path: str


@dataclass(frozen=True)
class Part:
    """One part of the split bar, in percent of its width."""

    name: str
    n: int
    use: str
    css: str
    start: float
    width: float


def list_specimens(exploration: Exploration) -> Specimens:
    """Put the pictures of each class beside its name and count."""
    largest = max(exploration.counts, default=0) or 1
    K = len(exploration.counts)
    averages = exploration.averages + (None,) * (K - len(exploration.averages))
    strips = exploration.classes + (None,) * (K - len(exploration.classes))
    rows = tuple(
        Specimen(name, count, count / largest, average, strip)
        for name, count, average, strip in zip(
            exploration.class_names, exploration.counts, averages, strips, strict=False
        )
    )
    pictured = sum(row.strip is not None for row in rows)
    first = FIRST_CLASSES if K > FIRST_CLASSES + 4 else K
    return Specimens(rows[:first], rows[first:], pictured)


def crop_sheet(exploration: Exploration | None, side: int) -> int:
    """Give the height of the first rows of the random sheet, gaps included, in pixels."""
    if exploration is None or exploration.random is None:
        return 0
    return min(exploration.random.height, SHEET_ROWS * (side + 1) - 1)


def draw_skyline(exploration: Exploration) -> Skyline | None:
    """Outline the counts of many classes from the largest to the smallest."""
    if len(exploration.counts) <= SKYLINE_CLASSES:
        return None
    ranked = sorted(
        zip(exploration.counts, exploration.class_names, strict=False), key=lambda row: -row[0]
    )
    heights = tuple(count for count, _ in ranked)
    top = heights[0] or 1
    steps = [
        f"L{place} {100 - 100 * count / top:.2f}H{place + 1}" for place, count in enumerate(heights)
    ]
    sentence = (
        f"From {format_count(heights[0])} images ({ranked[0][1]}) down to "
        f"{format_count(heights[-1])} ({ranked[-1][1]}), the classes in order of size."
    )
    if heights[0] == heights[-1]:
        sentence = f"Every class has {format_count(heights[0])} images."
    # Balanced classes would be drawn as one grey block; the sentence says it better.
    flat = heights[-1] > FLAT * heights[0]
    return Skyline(heights, "" if flat else f"M0 100{''.join(steps)}V100z", sentence)


def draw_histograms(channels: tuple[Channel, ...]) -> tuple[Histogram, ...]:
    """Draw the channels' distributions as steps on one scale."""
    top = max((share for channel in channels for share in channel.histogram), default=0) or 1
    return tuple(draw_histogram(channel, top) for channel in channels)


def draw_histogram(channel: Channel, top: float) -> Histogram:
    """Draw one channel; names other than red, green and blue are drawn in ink."""
    bins = len(channel.histogram) or 1
    # Twice each height, at both edges of its bin: an honest histogram has no slopes.
    points = [
        (100 * (place + edge) / bins, 100 - 96 * share / top)
        for place, share in enumerate(channel.histogram)
        for edge in (0, 1)
    ]
    return Histogram(CHANNEL_CSS.get(channel.name, "grey"), trace_line(points))


def divide_images(study: Study) -> tuple[Part, ...]:
    """Lay out the split as parts of one bar: train, validation and test."""
    split = study.split
    if split is None:
        return ()
    sealed = "still sealed" if study.opened == 0 else "opened after the choice"
    refit = study.scorecard is not None and study.scorecard.refit
    choose = "to choose on, then to fit the tested model on" if refit else "to choose on"
    sizes = (
        ("train", split.train_n, "to fit on", "train"),
        ("validation", split.val_n, choose, "val"),
        ("test", study.card.data.test_n, sealed, "test"),
    )
    total = sum(n for _, n, _, _ in sizes) or 1
    parts, start = [], 0.0
    for name, n, use, css in sizes:
        width = 100 * n / total
        parts.append(Part(name, n, use, css, round(start, 3), round(width, 3)))
        start += width
    return tuple(parts)
