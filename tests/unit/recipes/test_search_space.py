"""The search space of a recipe."""

import pytest

from smallvision.recipes import PRESETS, Recipe, Task, build_ladder, override
from smallvision.recipes.planning import assume_scale
from smallvision.recipes.search_space import FloatRange, apply_values, build_space, read_values

TASKS = [
    Task((1, 8, 8), 90, mirror_safe=False),
    Task((1, 8, 8), 1_200, mirror_safe=False),
    Task((3, 32, 32), 40_000, mirror_safe=True),
]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: str(task.num_train))
def test_every_range_holds_the_recipes_own_value(preset: str, task: Task) -> None:
    for rung in build_ladder(assume_scale(PRESETS[preset].seconds, task), task):
        space = build_space(rung.recipe)
        own = read_values(rung.recipe, [dimension.key for dimension in space])
        assert {"optimizer.lr", "optimizer.weight_decay", "batch_size"} <= set(own)
        assert ("model.dropout" in own) is hasattr(rung.recipe.model, "dropout")
        for dimension in space:
            assert dimension.contains(own[dimension.key]), (rung.name, dimension)


def test_both_ends_of_every_range_are_valid_settings() -> None:
    extreme = ["optimizer.lr=1000", "optimizer.weight_decay=1", "model.dropout=0.9", "batch_size=2"]
    for recipe in (Recipe(), override(Recipe(), extreme)):
        for dimension in build_space(recipe):
            is_range = isinstance(dimension, FloatRange)
            ends = (dimension.low, dimension.high) if is_range else dimension.choices
            for value in ends:
                changed = apply_values(recipe, {dimension.key: value})
                assert read_values(changed, [dimension.key]) == {dimension.key: value}


def test_a_weight_decay_of_zero_is_left_alone() -> None:
    recipe = override(Recipe(), ["optimizer.weight_decay=0"])
    assert "optimizer.weight_decay" not in {dimension.key for dimension in build_space(recipe)}


def test_a_value_outside_is_not_contained() -> None:
    for dimension in build_space(Recipe()):
        assert not dimension.contains(-1)
