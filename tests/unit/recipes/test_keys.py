"""Dotted keys of recipes."""

from smallvision.recipes import Recipe, override, parse_recipe
from smallvision.recipes.keys import find_difference


def test_the_difference_from_the_defaults_rebuilds_the_recipe() -> None:
    recipe = override(Recipe(), ["epochs=7", "model.depth=10", "schedule.name=linear"])
    changed = find_difference(recipe.plain(), Recipe().plain())
    assert set(changed) == {"epochs", "model", "schedule"}
    changed["model"].setdefault("name", "wide_resnet")
    assert parse_recipe(changed) == recipe
