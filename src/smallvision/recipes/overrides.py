"""Settings as `key=value`, and a recipe changed by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smallvision.errors import SettingError
from smallvision.recipes.keys import list_keys, suggest_key
from smallvision.recipes.settings.recipe import Recipe
from smallvision.recipes.toml import parse_recipe, shorten
from smallvision.records.nesting import load_toml


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Apply `key=value` assignments, such as `epochs=6` or `model.width=2`.

    A value is read as TOML, and as plain text if it is not TOML. Naming another model, optimiser,
    schedule or averaging (`schedule.name=cosine`) starts that table from its defaults.

    Raises:
        SettingError: no `=`, an unknown key (the nearest is named), or a value out of range.
    """
    pairs = [split_assignment(text) for text in assignments]
    # Names first: they decide which other keys exist.
    for key, value in sorted(pairs, key=lambda pair: not pair[0].endswith(".name")):
        values = recipe.plain()
        known = list_keys(values)
        if key not in known:
            raise SettingError(f"unknown setting '{shorten(key)}'{suggest_key(key, known)}")
        table = values
        *parents, leaf = key.split(".")
        for parent in parents:
            table = table[parent]
        if leaf == "name" and parents and table["name"] != value:
            table.clear()
        table[leaf] = value
        recipe = parse_recipe(values)
    return recipe


def split_assignment(text: str) -> tuple[str, Any]:
    """Split an assignment: `"a.b=1"` is `("a.b", 1)`.

    Raises:
        SettingError: there is no `=`, or no key before it.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise SettingError(f"'{shorten(text)}' is no setting; write key=value, such as epochs=6")
    if "\n" in text:
        raise SettingError("a setting is one line; repeat --set for the next one")
    try:
        return key.strip(), load_toml(f"value = {value}")["value"]
    except ValueError:  # not TOML, or a number or nesting beyond all bounds
        return key.strip(), value.strip()


MOST_SEEDS = 100


def check_seeds(seeds: int, least: int = 1) -> None:
    """Check how many runs with different seeds are asked for.

    Raises:
        SettingError: fewer than the least, or more than `MOST_SEEDS`.
    """
    if not least <= seeds <= MOST_SEEDS:
        raise SettingError(f"seeds is {seeds}; expected {least} to {MOST_SEEDS}")


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


def change_epochs(recipe: Recipe, epochs: int) -> Recipe:
    """A recipe with another number of epochs, and a warm-up in proportion.

    Raises:
        SettingError: no recipe may have so many.
    """
    settings = [f"epochs={epochs}"]
    if warmup := getattr(recipe.schedule, "warmup_epochs", 0.0):
        settings.append(f"schedule.warmup_epochs={warmup * epochs / recipe.epochs!r}")
    return override(recipe, settings)
