"""The ladder as a study climbs it: which rungs, with which settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import override
from smallvision.study.ladder import cut_ladder
from smallvision.study.plan import StudyPlan
from smallvision.study.start import find_start


def test_settings_hold_on_every_rung_and_on_every_base() -> None:
    settings = ("epochs=3", "model.se_ratio=4", "seed=7", "optimizer.lr=0.02")
    ladder = cut_ladder(StudyPlan(settings=settings))
    rungs = {rung.slot: rung for rung in ladder.rungs}
    ordinary = [rung.recipe for rung in ladder.rungs if rung.work != "ensemble"]
    assert {recipe.epochs for recipe in ordinary} == {3}
    assert {rung.recipe.seed for rung in ladder.rungs} == {7}
    assert {rung.recipe.optimizer.lr for rung in ladder.rungs} == {0.02}
    assert not hasattr(rungs["mlp"].recipe.model, "squeeze")
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


def test_the_rungs_to_repeat_are_picked_too() -> None:
    asked = StudyPlan(rungs=("mlp", "wrn", "snapshot-ensemble"), seeds=2)
    assert cut_ladder(asked).repeated == {"mlp", "wrn"}
    assert cut_ladder(replace(asked, repeat=("wrn",))).repeated == {"wrn"}
    with pytest.raises(SettingError, match="not among the --rungs"):
        cut_ladder(replace(asked, repeat=("vgg10",)))
    with pytest.raises(SettingError, match="--seeds does not repeat"):
        cut_ladder(replace(asked, repeat=("snapshot-ensemble",)))


def test_no_rung_learns_from_a_teacher() -> None:
    with pytest.raises(SettingError, match="smallvision distill"):
        cut_ladder(StudyPlan(settings=(f"teacher.model=sha256:{'0' * 64}",)))


def test_a_start_that_the_settings_do_not_fit_is_refused() -> None:
    start = find_start("cifar10")
    ladder = cut_ladder(StudyPlan(settings=("model.norm_momentum=0.2",)), start=start)
    transfer = next(rung.recipe for rung in ladder.rungs if rung.slot == "transfer")
    assert transfer.model.norm_momentum == 0.2
    with pytest.raises(SettingError, match="do not fit this speednet"):
        cut_ladder(StudyPlan(settings=("model.widths=[8]",)), start=start)


def test_rungs_are_picked_by_slot() -> None:
    assert cut_ladder(StudyPlan(rungs=("mlp", "tuned"))).chosen == {"mlp", "tuned"}
    with pytest.raises(SettingError, match="unknown recipe 'vgg'"):
        cut_ladder(StudyPlan(rungs=("vgg",)))


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
