"""Figures of a statistic as its sentence quotes them."""

from __future__ import annotations

FINE_N = 10_000  # images from which on a percentage deserves a second decimal


def choose_digits(n: int) -> int:
    """Decimals of a percentage of so many images."""
    return 2 if n >= FINE_N else 1


def format_p(p: float) -> str:
    """A p-value with as many digits as it is worth, which never claims to be zero."""
    return "p under 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
