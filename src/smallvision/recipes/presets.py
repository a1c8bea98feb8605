"""Presets: time budgets by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from smallvision.errors import SettingError, nearest


@dataclass(frozen=True)
class Preset:
    """A time budget.

    Attributes:
        sentence: describes the preset to users.
        seconds: for the whole study; infinite for no limit.
    """

    sentence: str
    seconds: float


PRESETS: dict[str, Preset] = {
    "quick": Preset("Five minutes; of a large set, 10,000 images.", 300.0),
    "laptop": Preset("An hour.", 3_600.0),
    "overnight": Preset("Eight hours.", 28_800.0),
    "full": Preset("As long as it takes, for a GPU: the study's own scale.", math.inf),
}

IMAGES_PER_SECOND = 10_000 / 300  # of a budget: more images than it can go through teach nothing


def find_preset(name: str) -> Preset:
    """Look a preset up.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    if name not in PRESETS:
        raise SettingError(f"unknown preset '{name}'{nearest(name, PRESETS)}")
    return PRESETS[name]


MOST_SECONDS = 1e9  # three decades


def check_budget(seconds: Any) -> None:
    """Check a time budget; None is no budget, and right.

    Raises:
        SettingError: it is none.
    """
    if seconds is None:
        return
    is_number = isinstance(seconds, Real) and not isinstance(seconds, bool)
    if not is_number or not 0 < float(seconds) <= MOST_SECONDS:
        raise SettingError(
            f"the budget is {seconds!r} seconds; expected a number above 0, at most "
            f"{MOST_SECONDS:,.0f}"
        )


def choose_subset(images: int, seconds: float) -> float | None:
    """The share of the training images that a budget has the time for; None for all of them."""
    most = IMAGES_PER_SECOND * seconds
    return most / images if images > most else None
