"""The seeds that follow a recipe's own."""

from __future__ import annotations

from smallvision.errors import SettingError
from smallvision.recipes.settings.recipe import Recipe
from smallvision.recipes.toml import parse_recipe


def follow_seed(recipe: Recipe, i: int) -> Recipe:
    """The recipe with the i-th seed after its own, otherwise the same.

    Args:
        recipe: of the first run.
        i: 1 for the next seed; 0 for the recipe's own.

    Raises:
        SettingError: the seed is beyond the largest.
    """
    try:
        return parse_recipe({**recipe.plain(), "seed": recipe.seed + i})
    except SettingError as error:
        raise SettingError(
            f"{error}; further runs take the seeds that follow, so begin lower"
        ) from None
