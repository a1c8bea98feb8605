"""The ladder: its order, what each rung changes, and what it is called on another base."""

from __future__ import annotations

from typing import Any

import pytest

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, Rung, Start, Task, build_ladder, find_rung
from smallvision.recipes.builders import build_schedule
from smallvision.recipes.ladder import add_cycles
from smallvision.recipes.planning import assume_scale
from smallvision.recipes.settings.optimization import (
    CosineSettings,
    LinearSettings,
    OneCycleSettings,
    SgdrSettings,
)
from smallvision.records.schema.settings.networks import MlpSettings, SpeedNetSettings

CIFAR = Task((3, 32, 32), 40_000, mirror_safe=True)
SLOTS = [
    "linear",
    "mlp",
    "vgg10",
    "vgg10-aug",
    "wrn",
    "wrn-aug",
    "wrn-cutmix",
    "wrn-se-cutmix",
    "wrn-se-cutmix-mish",
    "speednet",
    "tuned",
    "snapshot-ensemble",
]


def ladder() -> dict[str, Rung]:
    return {rung.slot: rung for rung in build_ladder(assume_scale(3600.0, CIFAR), CIFAR)}


def used(recipe: Recipe) -> set[str]:
    return {settings.name for settings in recipe.augment}


def test_the_rungs_are_in_order_and_build_on_earlier_ones() -> None:
    rungs = ladder()
    assert list(rungs) == SLOTS
    for position, rung in enumerate(rungs.values()):
        assert set(rung.after) <= set(SLOTS[:position])
        assert (not rung.after) is (position == 0)
        assert rung.question.endswith("?")
        assert rung.name == rung.slot


def test_a_start_adds_a_rung_and_changes_no_other() -> None:
    start = Start(SpeedNetSettings(widths=(8, 16)), f"sha256:{'1' * 64}")
    rungs = build_ladder(assume_scale(3600.0, CIFAR), CIFAR, start=start)
    slots = [rung.slot for rung in rungs]
    assert slots == [*SLOTS[:10], "transfer", *SLOTS[10:]]
    before, after = ladder(), {rung.slot: rung for rung in rungs}
    assert all(after[slot].recipe == before[slot].recipe for slot in SLOTS[:10])
    speednet, transfer = before["speednet"].recipe, after["transfer"]
    assert transfer.after == ("speednet",)
    assert transfer.recipe.start.model == start.fingerprint
    same = {"name": "speednet", "model": speednet.model, "start": speednet.start}
    assert transfer.recipe.model == start.network
    assert transfer.recipe.model_copy(update=same) == speednet
    assert "transfer" in after["tuned"].after
    with pytest.raises(SettingError, match="both must be of one family"):
        build_ladder(assume_scale(3600.0, CIFAR), CIFAR, start=Start(MlpSettings(), "sha256:"))


def test_flips_are_left_out_where_they_change_the_class() -> None:
    for safe in (True, False):
        task = Task((1, 8, 8), 1000, mirror_safe=safe)
        rungs = build_ladder(assume_scale(300.0, task), task)
        found = {name for rung in rungs for name in used(rung.recipe)}
        assert ({"flip", "alternating_flip"} <= found) is safe
        assert bool({"flip", "alternating_flip"} & found) is safe


def test_each_rung_adds_one_idea() -> None:
    rungs = ladder()
    assert not used(rungs["vgg10"].recipe)
    assert used(rungs["vgg10-aug"].recipe) == {"flip", "crop"}
    assert not used(rungs["wrn"].recipe)
    mixed = rungs["wrn-cutmix"]
    assert used(mixed.recipe) - used(rungs[mixed.base].recipe) == {"cutmix"}
    assert rungs["wrn-cutmix"].recipe.model.se_ratio == 0
    assert rungs["wrn-se-cutmix"].recipe.model.se_ratio > 0
    assert rungs["wrn-se-cutmix"].recipe.model.activation == "relu"
    assert rungs["wrn-se-cutmix-mish"].recipe.model.activation == "mish"
    assert rungs["snapshot-ensemble"].recipe.schedule.cycles > 1


@pytest.mark.parametrize(
    ("slot", "base", "name"),
    [
        ("wrn-se-cutmix", "wrn-cutmix", "wrn-se-cutmix"),
        ("wrn-se-cutmix", "wrn-aug", "wrn-se-aug"),
        ("wrn-se-cutmix", "wrn", "wrn-se"),
        ("wrn-se-cutmix-mish", "wrn-cutmix", "wrn-cutmix-mish"),
        ("wrn-se-cutmix-mish", "wrn-aug", "wrn-aug-mish"),
        ("wrn-cutmix", "wrn", "wrn-cutmix"),
        ("tuned", "vgg10-aug", "tuned"),
    ],
)
def test_a_rung_is_called_what_it_is(slot: str, base: str, name: str) -> None:
    rungs = ladder()
    rung = rungs[slot].on(rungs[base].recipe)
    assert rung.name == rung.recipe.name == name
    assert rung.slot == slot


def test_an_idea_that_did_not_help_is_not_carried_on() -> None:
    rungs = ladder()
    mish = rungs["wrn-se-cutmix-mish"].on(rungs["wrn-aug"].recipe)
    assert used(mish.recipe) == {"flip", "crop"}
    assert mish.recipe.model.se_ratio == 0
    assert mish.recipe.model.activation == "mish"
    assert mish.recipe.unmixed_fraction == 0


@pytest.mark.parametrize(
    ("schedule", "epochs", "cycles", "growth"),
    [
        (SgdrSettings(cycles=1), 30, 3, 1.0),
        (SgdrSettings(cycles=3, cycle_mult=2.0), 150, 4, 2.0),
        (LinearSettings(), 30, 3, 1.0),
        (CosineSettings(warmup_epochs=1.0, floor=0.01), 30, 3, 1.0),
        (OneCycleSettings(), 30, 3, 1.0),
    ],
)
def test_an_ensembles_run_begins_as_the_run_it_builds_on(
    schedule: Any, epochs: int, cycles: int, growth: float | None
) -> None:
    had = 70 if epochs == 150 else 10
    base = Recipe(epochs=had, schedule=schedule)
    longer = add_cycles(base, 3)
    assert (longer.epochs, longer.schedule.cycles) == (epochs, cycles)
    assert getattr(longer.schedule, "cycle_mult", None) == growth
    if schedule.name != "one_cycle":  # which ends a cycle as no other begins one
        old, new = build_schedule(base, 5), build_schedule(longer, 5)
        assert [old(step) for step in range(had * 5)] == [new(step) for step in range(had * 5)]


def test_unknown_rungs_are_named() -> None:
    with pytest.raises(SettingError, match="did you mean 'wrn-cutmix'"):
        find_rung(list(ladder().values()), "wrn-cutmx")


@pytest.mark.parametrize(
    ("name", "augment", "se_ratio", "activation"),
    [
        ("wrn-se", set(), 8, "relu"),
        ("wrn-se-aug", {"flip", "crop"}, 8, "relu"),
        ("wrn-aug-mish", {"flip", "crop"}, 0, "mish"),
        ("wrn-cutmix-mish", {"flip", "crop", "cutmix"}, 0, "mish"),
        ("wrn-se-mish", set(), 8, "mish"),
    ],
)
def test_a_name_that_a_rung_has_on_another_base_can_be_typed(
    name: str, augment: set[str], se_ratio: int, activation: str
) -> None:
    """What a study shows is a recipe of its own."""
    rung = find_rung(list(ladder().values()), name)
    model = rung.recipe.model
    assert rung.recipe.name == name
    assert used(rung.recipe) == augment
    assert (model.se_ratio, model.activation) == (se_ratio, activation)


def test_a_slot_is_the_rung_of_the_ladder_itself() -> None:
    rungs = ladder()
    assert all(find_rung(list(rungs.values()), slot) is rungs[slot] for slot in SLOTS)
