"""What a catalogue says of each entry, for people who choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One technique in four sentences.

    Attributes:
        sentence: what it does.
        source: the paper it comes from, or "folklore".
        assumes: what must hold of the images for it to make sense.
        costs: what it takes in time, memory or parameters.
    """

    sentence: str
    source: str
    assumes: str = "nothing"
    costs: str = "next to nothing"
