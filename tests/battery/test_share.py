"""A small share of most families of trials, in the default tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.battery.families import FAMILIES


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.share])
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    family = FAMILIES[name]
    outcome = (family.brief or family.run)(tmp_path, family.share, 0)
    if outcome.untried:
        pytest.skip(outcome.untried)
    assert outcome.trials >= family.share or name == "hostile"
    assert outcome.failures == []
