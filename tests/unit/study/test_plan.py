"""What a plan may ask for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import Recipe
from smallvision.records.schema import Limits
from smallvision.runs.repeats import plan_repeats
from smallvision.study.plan import StudyPlan


def test_a_plan_needs_a_run_and_seeds_that_exist() -> None:
    for none in (0, -1, 10**12):
        with pytest.raises(SettingError, match=f"seeds is {none}; expected 1 to 100"):
            StudyPlan(seeds=none)
        with pytest.raises(SettingError, match=f"seeds is {none}; expected 1 to 100"):
            plan_repeats(Recipe(), none)
    highest = 2**31
    assert StudyPlan(settings=(f"seed={highest - 3}",), seeds=3).seed == highest - 3
    with pytest.raises(SettingError, match=f"seed is {highest + 1}; .* begin lower"):
        StudyPlan(settings=(f"seed={highest - 2}",), seeds=3)


def test_rungs_to_repeat_need_seeds() -> None:
    with pytest.raises(SettingError, match="give --seeds too"):
        StudyPlan(repeat=("wrn",))


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -0.1])
def test_limits_are_numbers(limit: float) -> None:
    with pytest.raises(SettingError, match="limit on gap"):
        StudyPlan(limits=Limits(gap=limit))


@pytest.mark.parametrize("limits", [Limits(parameters=-1), Limits(latency_seconds=float("inf"))])
def test_a_limit_that_is_refused_is_named(limits: Limits) -> None:
    (name,) = limits.model_fields_set
    with pytest.raises(SettingError, match=f"limit on {name}"):
        StudyPlan(limits=limits)


def test_the_metric_is_one_of_the_settings() -> None:
    assert StudyPlan().judged_by == "accuracy"
    assert StudyPlan().settings == ()
    plan = StudyPlan(metric="macro_f1", settings=("epochs=2", "metric=accuracy"))
    assert (plan.judged_by, plan.settings) == ("macro_f1", ("epochs=2", "metric=macro_f1"))
    assert replace(plan, folds=3).settings == plan.settings
    assert StudyPlan(settings=("metric=balanced_accuracy",)).judged_by == "balanced_accuracy"
    with pytest.raises(SettingError, match="metric"):
        StudyPlan(settings=("metric=auc",))
