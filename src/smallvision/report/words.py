"""Numbers and names as people read them; percent exists only from here on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from smallvision.report.view import Score

NONE = "–"
NBSP = "\u00a0"
FINE_N = 10_000  # from here on an accuracy deserves a second decimal
MANY = 1_000_000


def format_fraction(value: float | None, n: int = 0) -> str:
    """A fraction in percent without the sign: one decimal, two from 10,000 images.

    >>> format_fraction(0.98139, 360), format_fraction(0.98139, 10_000)
    ('98.1', '98.14')
    """
    if value is None or not math.isfinite(value):
        return NONE
    return f"{100 * value:.{2 if n >= FINE_N else 1}f}"


def format_percent(value: float | None, n: int = 0) -> str:
    """A fraction in percent, with the sign."""
    text = format_fraction(value, n)
    return text if text == NONE else f"{text}{NBSP}%"


def format_accuracy(score: Score | None) -> str:
    """An accuracy in percent, as fine as its n allows."""
    return NONE if score is None else format_percent(score.accuracy, score.n)


def format_interval(score: Score | None) -> str:
    """The interval of an accuracy in percent, `96.0–99.0 %`."""
    if score is None:
        return NONE
    low, high = (format_fraction(end, score.n) for end in score.interval)
    return f"{low}–{high}{NBSP}%"


def format_points(value: float | None, n: int = 0, *, signed: bool = True) -> str:
    """A difference of two fractions in percentage points, with a true minus."""
    if value is None or not math.isfinite(value):
        return NONE
    text = format_fraction(abs(value), n)
    if not signed or not float(text):
        sign = "−" if value < 0 and float(text) else ""
    else:
        sign = "+" if value > 0 else "−"
    return f"{sign}{text}{NBSP}{'point' if float(text) == 1 else 'points'}"


def format_count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NONE if value is None else f"{value:,.0f}"


def format_number(value: float | None, digits: int = 3) -> str:
    """A number with a fixed number of decimals."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def format_p(p: float) -> str:
    """A p-value that never claims to be zero."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def format_ratio(value: float | None) -> str:
    """A ratio as `3.1 ×`."""
    if value is None:
        return NONE
    return f"{value:.{0 if value >= 100 else 1 if value >= 1 else 2}f}{NBSP}×"


def format_duration(seconds: float | None) -> str:
    """A duration as one would say it: `61 s`, `4 min 12 s`, `2 h 5 min`."""
    if seconds is None:
        return NONE
    if seconds < 10:
        return f"{seconds:.1f}{NBSP}s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole}{NBSP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min {rest}{NBSP}s" if rest else f"{minutes}{NBSP}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NBSP}h {minutes}{NBSP}min" if minutes else f"{hours}{NBSP}h"


def format_latency(seconds: float | None) -> str:
    """The time for one image, in milliseconds below a second."""
    if seconds is None:
        return NONE
    if seconds >= 1:
        return f"{seconds:.2f}{NBSP}s"
    milliseconds = 1000 * seconds
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 1 else 2
    return f"{milliseconds:.{digits}f}{NBSP}ms"


def format_size(size: float | None) -> str:
    """Bytes as kB or MB (powers of ten)."""
    if size is None:
        return NONE
    if size < MANY:
        return f"{size / 1000:.0f}{NBSP}kB"
    return f"{size / MANY:.1f}{NBSP}MB"


def format_moment(iso: str | None) -> str:
    """An ISO time as `22 November 2026, 14:40 UTC`; text that is no time stays as it is."""
    if iso is None:
        return NONE
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def format_times(count: int) -> str:
    """How often: `once`, `twice`, `3 times`."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def shorten_hash(text: str) -> str:
    """The first 12 letters of a hash, without its kind."""
    digest = text.partition(":")[2] or text
    return digest if len(digest) <= 12 else f"{digest[:12]}…"


def join_words(words: Sequence[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
