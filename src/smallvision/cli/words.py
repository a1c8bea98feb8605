"""Numbers as people read them in a terminal."""

from __future__ import annotations


def digits(rate: float, n: int) -> str:
    """A rate in percent without its sign, with as many digits as n images can carry."""
    return f"{rate * 100:.{2 if n >= 10_000 else 1}f}"


def percent(rate: float, n: int) -> str:
    """A rate in percent."""
    return f"{digits(rate, n)} %"


def certainty(probability: float) -> str:
    """A model's probability in percent, which is never quite none or all."""
    if not 0.0005 <= probability < 0.9995:
        return "over 99.9 %" if probability > 0.5 else "under 0.1 %"
    return f"{probability * 100:.1f} %"


def interval(bounds: list[float], n: int) -> str:
    """An interval in percent."""
    return f"{digits(bounds[0], n)} to {digits(bounds[1], n)}"


def span(bounds: list[float], n: int) -> str:
    """An interval in percent, as short as a column of a table wants it."""
    return f"{digits(bounds[0], n)}–{digits(bounds[1], n)}"


def clock(seconds: float) -> str:
    """A duration as `12 s`, `3 min 20 s` or `1 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def minutes(seconds: float) -> str:
    """A duration as `3:20`, short enough for a column."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def count(number: float) -> str:
    """A large count as `77.9 k` or `2.0 M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {letter}"
    return f"{number:,.0f}"


def size(num_bytes: float) -> str:
    """Bytes as `3.1 MB`."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if num_bytes >= factor:
            return f"{num_bytes / factor:.1f} {unit}"
    return f"{num_bytes:.0f} B"
