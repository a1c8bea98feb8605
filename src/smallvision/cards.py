"""The description of a technique for people who choose one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One technique in four sentences.

    Attributes:
        sentence: what it does.
        source: the paper it comes from, or "folklore".
        assumes: what must be true of the images, the data or other settings.
        costs: time, memory or parameters.
    """

    sentence: str
    source: str
    assumes: str = "nothing"
    costs: str = "next to nothing"
