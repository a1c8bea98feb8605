"""A small share of every family of trials, in the default tests."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

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

SHARE = {
    kills: 5,
    damage: 60,
    hostile: 100,
    pictures: 200,
    recipes: 100,
    disks: 5,
    owners: 1,
    numerics: 10,
    signals: 3,
}


@pytest.mark.parametrize("family", SHARE, ids=lambda family: family.__name__.rpartition(".")[2])
def test_nothing_is_lost(family: ModuleType, tmp_path: Path) -> None:
    outcome = family.run(tmp_path, SHARE[family], 0)
    assert outcome.trials
    assert outcome.failures == []
