"""A small share of every family of trials, in the default tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.battery import (
    damage,
    disks,
    hostile,
    kills,
    numerics,
    owners,
    pictures,
    recipes,
    signals,
)
from tests.battery.outcome import Outcome

SHARE: dict[str, tuple[Callable[..., Outcome], int]] = {
    "kills": (partial(kills.run, names=("train",)), 5),
    "damage": (damage.run, 60),
    "hostile": (hostile.run, 100),
    "pictures": (pictures.run, 200),
    "recipes": (recipes.run, 100),
    "disks": (disks.run, 5),
    "owners": (partial(owners.run, many=3), 1),
    "numerics": (numerics.run, 10),
    "signals": (partial(signals.run, names=("train",)), 3),
}


@pytest.mark.parametrize("family", SHARE)
def test_nothing_is_lost(family: str, tmp_path: Path) -> None:
    run, trials = SHARE[family]
    outcome = run(tmp_path, trials, 0)
    assert outcome.trials >= trials or family == "hostile"
    assert outcome.failures == []
