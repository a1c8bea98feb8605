"""Numbers and names as people read them, in the terminal, the report and every sentence.

Records hold fractions, seconds and bytes; percent exists only from here on.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Protocol

NONE = "–"
MANY = 1_000_000
LEVEL = 0.05  # at which tests are read
FINE_N = 10_000  # images from which on a percentage deserves a second decimal
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip


METRIC_WORDS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
}


class Rated(Protocol):
    """An accuracy with its interval and the number of images behind it."""

    @property
    def accuracy(self) -> float:
        """A fraction."""

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval."""

    @property
    def n(self) -> int:
        """Number of images."""


class ClassRated(Protocol):
    """Figures in which every class counts alike."""

    @property
    def balanced_accuracy(self) -> float:
        """A fraction."""

    @property
    def macro_f1(self) -> float:
        """A fraction."""

    @property
    def is_uneven(self) -> bool:
        """Whether classes differ so much in size that these figures are needed."""


def choose_digits(n: int) -> int:
    """Decimals of a percentage of so many images."""
    return 2 if n >= FINE_N else 1


def format_fraction(value: float | None, n: int = 0) -> str:
    """Write a fraction in percent without the sign: one decimal, two from 10,000 images.

    >>> format_fraction(0.98139, 360), format_fraction(0.98139, 10_000)
    ('98.1', '98.14')
    """
    if value is None or not math.isfinite(value):
        return NONE
    return f"{100 * value:.{choose_digits(n)}f}"


def format_percent(value: float | None, n: int = 0) -> str:
    """Write a fraction in percent, with the sign."""
    text = format_fraction(value, n)
    return text if text == NONE else f"{text} %"


def format_accuracy(rate: Rated | None) -> str:
    """Write an accuracy in percent, as fine as its n allows."""
    return NONE if rate is None else format_percent(rate.accuracy, rate.n)


def describe_class_means(found: ClassRated | None, n: int = 0) -> str:
    """The figures that stand beside an accuracy where classes differ in size; else nothing.

    >>> describe_class_means(None)
    ''
    """
    if found is None or not found.is_uneven:
        return ""
    return (
        f"balanced accuracy {format_percent(found.balanced_accuracy, n)}, "
        f"macro F1 {format_percent(found.macro_f1, n)}"
    )


def format_interval(rate: Rated | None) -> str:
    """Write the interval of an accuracy in percent, `96.0–99.0 %`."""
    return NONE if rate is None else f"{format_span(rate.interval, rate.n)} %"


def format_span(bounds: tuple[float, float], n: int) -> str:
    """Write an interval of fractions in percent without the sign, `96.0–99.0`."""
    return "–".join(format_fraction(bound, n) for bound in bounds)


def format_points(value: float | None, n: int = 0, *, signed: bool = True) -> str:
    """Write a difference of two fractions in percentage points, with a true minus."""
    if value is None or not math.isfinite(value):
        return NONE
    text = format_fraction(abs(value), n)
    sign = "" if not float(text) else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{text} points"


def format_signed(value: float | None, n: int = 0) -> str:
    """Percentage points with a sign and without their unit."""
    return format_points(value, n).removesuffix(" points")


def format_signed_span(bounds: tuple[float, float], n: int = 0) -> str:
    """An interval of a difference in percentage points, `−0.4 to +1.9`."""
    return " to ".join(format_signed(bound, n) for bound in bounds)


def format_p(p: float) -> str:
    """A p-value with as many digits as it is worth, which never claims to be zero."""
    if p < 0.001:
        return "p under 0.001"
    # Rounded to the level of the tests, it would not tell on which side of it it lies.
    digits = 2 if p >= 0.1 else 4 if p != LEVEL and round(p, 3) == LEVEL else 3
    return f"p = {p:.{digits}f}"


def format_certainty(probability: float) -> str:
    """A model's probability in percent, which is never quite none or all."""
    if not 0.0005 <= probability < 0.9995:
        return "over 99.9 %" if probability > 0.5 else "under 0.1 %"
    return f"{probability * 100:.1f} %"


def format_share(value: float) -> str:
    """Write a share that somebody chose, in percent without needless decimals."""
    return f"{100 * value:.4g} %"


def format_count(value: float | None) -> str:
    """Write a whole number with thousands separated."""
    return NONE if value is None else f"{value:,.0f}"


def format_short_count(value: float) -> str:
    """Write a large count in short, `77.9 k` or `2.0 M`, for a column of a table."""
    for size, letter in ((MANY, "M"), (1000, "k")):
        if value >= size:
            return f"{value / size:.1f} {letter}"
    return f"{value:,.0f}"


def format_number(value: float | None, digits: int = 3) -> str:
    """Write a number with a fixed number of decimals."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def format_ratio(value: float | None) -> str:
    """Write a ratio as `3.1 ×`."""
    if value is None:
        return NONE
    return f"{value:.{0 if value >= 100 else 1 if value >= 1 else 2}f} ×"


def format_duration(seconds: float | None) -> str:
    """Write a duration as one would say it: `61 s`, `4 min 12 s`, `2 h 5 min`."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def format_clock(seconds: float) -> str:
    """Write a duration as minutes and seconds, `3:20`, for a column of a table."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def format_latency(seconds: float | None) -> str:
    """Write the time for one image, in milliseconds below a second."""
    if seconds is None:
        return NONE
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = 1000 * seconds
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 1 else 2
    return f"{milliseconds:.{digits}f} ms"


def format_size(size: float | None) -> str:
    """Bytes as kB, MB or GB (powers of ten)."""
    if size is None:
        return NONE
    if size < MANY:
        return f"{size / 1000:.0f} kB"
    if size < 1000 * MANY:
        return f"{size / MANY:.1f} MB"
    return f"{size / MANY / 1000:.1f} GB"


def format_setting(value: object) -> str:
    """Write a value of a recipe as a person would: `0.0005`, `yes`, `flip, crop`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}".replace("e-0", "e-")
    if isinstance(value, list | tuple):
        return ", ".join(map(format_setting, value))
    return NONE if value is None else str(value)


def format_moment(iso: str | None) -> str:
    """Write an ISO time as `22 November 2026, 14:40 UTC`; text that is no time stays as it is."""
    if iso is None:
        return NONE
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{name_day(moment)}, {moment:%H:%M} UTC"


def format_day(iso: str) -> str:
    """Write the day of an ISO time, `22 November 2026`."""
    return format_moment(iso).rpartition(",")[0] or iso


def name_day(moment: datetime) -> str:
    """Give a day with the month's English name, whatever the machine's locale."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def format_times(count: int) -> str:
    """How often: `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def shorten_hash(text: str) -> str:
    """Keep the first 12 letters of a hash, without its kind."""
    digest = text.partition(":")[2] or text
    return digest if len(digest) <= 12 else f"{digest[:12]}…"


def shorten_paths(paths: Collection[str]) -> dict[str, str]:
    """Give each path the shortest end that tells it from the others.

    >>> shorten_paths(["a/wrn", "b/c/vgg10"])
    {'a/wrn': 'wrn', 'b/c/vgg10': 'vgg10'}
    >>> shorten_paths(["a/runs/wrn", "b/runs/wrn"])
    {'a/runs/wrn': 'a/runs/wrn', 'b/runs/wrn': 'b/runs/wrn'}
    """
    parts = {path: path.split("/") for path in paths}
    longest = max(map(len, parts.values()), default=0)
    for depth in range(1, longest + 1):
        ends = {path: "/".join(names[-depth:]) for path, names in parts.items()}
        if len(set(ends.values())) == len(ends):
            return ends
    return {path: path for path in paths}


def join_words(words: Sequence[str], conjunction: str = "and") -> str:
    """Join words as `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def name_seeds(seeds: Sequence[int]) -> str:
    """Name seeds as `seed 3` or `seeds 3 and 4`."""
    return f"seed{'s' if len(seeds) > 1 else ''} {join_words([str(seed) for seed in seeds])}"


def tell_folds(folds: int) -> str:
    """What follows a number of images that were left out in turn, ` in 5 folds`."""
    return f" in {folds} folds" if folds > 1 else ""
