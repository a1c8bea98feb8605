from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.reporting.sections.first_screen import gains
from smallvision.reporting.view import RungView, StudyView
from tests.support.views import (
    change_rungs,
    change_step,
)


def test_gains_by_verdict(whole: StudyView, study: StudyView) -> None:
    found = dict(gains.sum_up_gains(whole))
    assert found["More accurate"].startswith(
        "vgg10 (+31.3 points against mlp), vgg10-aug (+4.2 points against vgg10), "
    )
    assert found["Less accurate"] == "wrn-se-aug (−2.2 points against wrn-aug)"
    assert found["Cannot be told apart"] == "wrn-cutmix and tuned from wrn-aug"
    assert found["Failed"] == "wrn-aug-mish"
    assert gains.sum_up_gains(replace(study, rungs=study.rungs[:1])) == ()


def test_what_more_epochs_might_change_is_said_to_hold_at_this_budget(whole: StudyView) -> None:
    def raise_worse(rung: RungView) -> RungView:
        is_worse = rung.step is not None and rung.step.verdict == "worse"
        return change_step(rung, rising=(is_worse, False))

    found = dict(gains.sum_up_gains(change_rungs(whole, raise_worse)))
    assert found["Less accurate at this budget"] == "wrn-se-aug (−2.2 points against wrn-aug)"
    assert "Less accurate" not in found
    assert "More accurate at this budget" not in found
    assert "more epochs may give another" in found["How sure"]
    assert "more epochs" not in dict(gains.sum_up_gains(whole))["How sure"]


@pytest.mark.parametrize(("seeds", "cautious"), [((1, 1), True), ((3, 3), False)])
def test_gains_of_single_runs_say_so(
    whole: StudyView, seeds: tuple[int, int], cautious: bool
) -> None:
    judged = change_rungs(whole, lambda rung: change_step(rung, seeds=seeds))
    found = dict(gains.sum_up_gains(judged))
    assert ("other seeds may give another answer" in found.get("How sure", "")) is cautious


def test_a_repeat_of_a_recipe_gains_nothing(whole: StudyView) -> None:
    def repeat(rung: RungView) -> RungView:
        if rung.tuning is None or rung.tuning.best is None:
            return rung
        best = rung.tuning.best.model_copy(update={"number": 0})
        return replace(rung, tuning=rung.tuning.model_copy(update={"best": best}))

    for verdict in ("better", "worse", "cannot tell apart"):
        judged = change_rungs(whole, lambda rung: change_step(repeat(rung), verdict=verdict))  # noqa: B023
        assert "tuned (" not in str(gains.sum_up_gains(judged))
        assert "tuned from" not in str(gains.sum_up_gains(judged))
