"""Time budgets that are none are refused wherever one is asked for."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import smallvision as sv
from smallvision.errors import SettingError
from smallvision.recipes.presets import check_budget


@pytest.mark.parametrize("budget", [0, -1.0, math.inf, math.nan, 3.6e23, True, "10m"])
def test_what_is_no_budget_is_refused(budget: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="the budget is"):
        sv.StudyPlan(budget_seconds=budget)
    for act in (sv.train, sv.tune):
        with pytest.raises(SettingError, match="the budget is"):
            act("digits", "linear", budget_seconds=budget, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("budget", [None, 1, 0.5, np.float32(60), np.int64(3)])
def test_numbers_of_seconds_are_budgets(budget: Any) -> None:
    check_budget(budget)
