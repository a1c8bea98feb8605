"""The choice of the best rung, and the user's settings on every rung."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import override
from smallvision.study.climb import explain_base
from smallvision.study.ladder import choose_best, cut_ladder
from smallvision.study.plan import Limits, StudyPlan


def status(accuracy: float, gap: float = 0.0, loss: float = 1.0) -> dict[str, Any]:
    val = {"accuracy": accuracy, "loss": loss}
    return {"val": val, "gap": gap, "parameters": 1, "latency_seconds": 0.1}


def test_the_best_within_the_limits_wins() -> None:
    statuses = {"a": status(0.9, gap=0.2), "b": status(0.8), "c": status(0.7)}
    assert choose_best(statuses, Limits(gap=0.1)) == "b"
    assert choose_best(statuses, Limits(gap=None)) == "a"


def test_without_any_within_the_limits_the_best_of_all_wins() -> None:
    statuses = {"a": status(0.9, gap=0.3), "b": status(0.8, gap=0.2)}
    assert choose_best(statuses, Limits(gap=0.1)) == "a"
    assert choose_best({}, Limits()) is None


def test_equal_accuracies_are_decided_by_the_loss() -> None:
    assert choose_best({"a": status(0.9, loss=0.4), "b": status(0.9, loss=0.3)}, Limits()) == "b"


def test_settings_hold_on_every_rung_and_on_every_base() -> None:
    settings = ("epochs=3", "model.se_ratio=4", "seed=7", "optimizer.lr=0.02")
    ladder = cut_ladder(StudyPlan(settings=settings))
    rungs = {rung.slot: rung for rung in ladder.rungs}
    ordinary = [rung.recipe for rung in ladder.rungs if rung.work != "ensemble"]
    assert {recipe.epochs for recipe in ordinary} == {3}
    assert {rung.recipe.seed for rung in ladder.rungs} == {7}
    assert {rung.recipe.optimizer.lr for rung in ladder.rungs} == {0.02}
    assert not hasattr(rungs["mlp"].recipe.model, "se_ratio")
    for slot in ("wrn-se-cutmix", "snapshot-ensemble"):
        assert ladder.place(rungs[slot], rungs["wrn"].recipe).recipe.model.se_ratio == 4


def test_an_ensemble_keeps_its_cycles_and_what_was_tuned() -> None:
    settings = ("epochs=4", "schedule.cycles=1", "checkpoints=best", "optimizer.lr=0.02")
    ladder = cut_ladder(StudyPlan(settings=settings))
    rungs = {rung.slot: rung for rung in ladder.rungs}
    tuned = override(rungs["wrn"].recipe, ["optimizer.lr=0.3", "name=tuned"])
    ensemble = ladder.place(rungs["snapshot-ensemble"], tuned).recipe
    assert ensemble.optimizer.lr == 0.3
    assert ensemble.epochs == 8
    assert (ensemble.schedule.cycles, ensemble.checkpoints) == (2, "cycles")


def test_a_plan_needs_a_run_and_seeds_that_exist() -> None:
    with pytest.raises(SettingError, match="seeds is 0; expected 1 or more"):
        StudyPlan(seeds=0)
    highest = 2**31
    assert StudyPlan(settings=(f"seed={highest - 3}",), seeds=3).seed == highest - 3
    with pytest.raises(SettingError, match=f"seed is {highest + 1}; .* begin lower"):
        StudyPlan(settings=(f"seed={highest - 2}",), seeds=3)


def test_the_rungs_to_repeat_are_picked_too() -> None:
    asked = StudyPlan(rungs=("mlp", "wrn", "snapshot-ensemble"), seeds=2)
    assert cut_ladder(asked).repeated == {"mlp", "wrn"}
    assert cut_ladder(replace(asked, repeat=("wrn",))).repeated == {"wrn"}
    with pytest.raises(SettingError, match="give --seeds too"):
        StudyPlan(repeat=("wrn",))
    with pytest.raises(SettingError, match="not among the --rungs"):
        cut_ladder(replace(asked, repeat=("vgg10",)))
    with pytest.raises(SettingError, match="--seeds does not repeat"):
        cut_ladder(replace(asked, repeat=("snapshot-ensemble",)))


def test_no_rung_learns_from_a_teacher() -> None:
    with pytest.raises(SettingError, match="smallvision distill"):
        cut_ladder(StudyPlan(settings=(f"teacher.model=sha256:{'0' * 64}",)))


def test_rungs_are_picked_by_slot() -> None:
    assert cut_ladder(StudyPlan(rungs=("mlp", "tuned"))).chosen == {"mlp", "tuned"}
    with pytest.raises(SettingError, match="unknown recipe 'vgg'"):
        cut_ladder(StudyPlan(rungs=("vgg",)))


def test_a_rung_says_which_ideas_its_base_had_left_out() -> None:
    below = {"wrn": status(0.8), "wrn-aug": status(0.9), "wrn-cutmix": status(0.85)}
    assert explain_base(below, "wrn-cutmix") is None
    note = explain_base(below, "wrn-aug")
    assert note is not None
    assert note.startswith("Builds on wrn-aug, the best so far: wrn-cutmix did not raise")
    long = explain_base({**below, "wrn-se": status(0.86), "mish": status(0.7)}, "wrn-aug")
    assert long is not None
    assert "none of the 3 rungs after it raised validation accuracy" in long


def test_a_setting_that_some_rungs_have_is_for_those() -> None:
    settings = (
        "schedule.cycles=2",
        "model.widths=[8,8]",
        "optimizer.name=sam",
        "optimizer.rho=0.2",
    )
    rungs = {rung.slot: rung.recipe for rung in cut_ladder(StudyPlan(settings=settings)).rungs}
    assert rungs["wrn"].schedule.cycles == 2
    assert rungs["speednet"].schedule.name == "linear"
    assert rungs["speednet"].model.widths == (8, 8)
    assert {recipe.optimizer.rho for recipe in rungs.values()} == {0.2}
    with pytest.raises(SettingError, match=r"unknown setting 'schedule.cycle'; did you mean"):
        cut_ladder(StudyPlan(settings=("schedule.cycle=2",)))
