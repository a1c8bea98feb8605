"""Recipes as TOML, overrides as `key=value`, and errors that name the nearest key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from smallvision.errors import RecordError, SettingError, nearest
from smallvision.recipes.settings import Recipe
from smallvision.records.files import hash_bytes, hash_file
from smallvision.records.layout import read_status

MOST_SHOWN = 80  # characters of a faulty value
# Parts that come in kinds, each with an example.
# As they are to be written in a shell, which takes quotes away.
LISTS = {
    "augment": "\"augment=['flip','crop']\"",
    "windows": '"windows=[{until=0.5,side=28}]"',
}
UNIONS = {"model": "wide_resnet", "optimizer": "sgd", "schedule": "sgdr", "averaging": "ema"}


def write_toml(values: Mapping[str, Any]) -> str:
    """Plain values as TOML text."""
    return tomli_w.dumps(values)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file; what it leaves out keeps its default.

    Raises:
        SettingError: the file is missing, no TOML, or says what no recipe may say.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise SettingError(f"recipe {path} cannot be read: it is nested too deeply") from error
    except (OSError, ValueError) as error:  # TOML and UTF-8 errors are ValueErrors
        raise SettingError(f"recipe {path} cannot be read: {error}") from error
    return parse_recipe(values)


def read_run_recipe(run: Path) -> Recipe:
    """Read the recipe that a run was made with, which nobody may change afterwards.

    Raises:
        RecordError: it is not the one that the run's status tells of.
        SettingError: as for `read_recipe`.
    """
    path = run / "recipe.toml"
    recipe = read_recipe(path)
    if read_status(run).recipe_sum != hash_file(path):
        raise RecordError(
            f"{path} is not what this run was made with: damaged, or edited; restore it (to train "
            "with other settings, copy it to another place)"
        )
    return recipe


def sum_recipe(recipe: Recipe) -> str:
    """The SHA-256 of a recipe's TOML text, by which a run's status vouches for it."""
    return hash_bytes(write_toml(recipe.plain()).encode())


def parse_recipe(values: Mapping[str, Any]) -> Recipe:
    """Check plain values and make a recipe of them.

    Raises:
        SettingError: an unknown key, or a value of the wrong type or out of range.
    """
    recipe = parse_fields(values)
    check_together(recipe)
    return recipe


def parse_fields(values: Mapping[str, Any]) -> Recipe:
    """Check each field on its own.

    Raises:
        SettingError: an unknown key, or a value of the wrong type or out of range.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise SettingError(explain(error, values)) from None


def check_together(recipe: Recipe) -> None:
    """Refuse what no single field's range can express.

    Raises:
        SettingError: a depth that is not 6n + 4.
    """
    if recipe.model.name == "wide_resnet" and (recipe.model.depth - 4) % 6:
        raise SettingError(
            f"model.depth is {recipe.model.depth}; expected 6n + 4, such as 10, 16, 22 or 28"
        )


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Apply `key=value` assignments, such as `epochs=6` or `model.width=2`.

    A value is read as TOML, and as plain text where it is none. Naming another model, optimiser,
    schedule or averaging (`schedule.name=cosine`) starts that part from its defaults.

    Raises:
        SettingError: no `=`, an unknown key (the nearest is named), or a value out of range.
    """
    pairs = [split_assignment(text) for text in assignments]
    # Names first: they decide which other keys exist.
    for key, value in sorted(pairs, key=lambda pair: not pair[0].endswith(".name")):
        values = recipe.plain()
        known = list_keys(values)
        if key not in known:
            raise SettingError(f"unknown setting '{key}'{suggest_key(key, known)}")
        place = values
        *parents, leaf = key.split(".")
        for parent in parents:
            place = place[parent]
        if leaf == "name" and parents and place["name"] != value:
            place.clear()
        place[leaf] = value
        recipe = parse_fields(values)
    check_together(recipe)
    return recipe


def split_assignment(text: str) -> tuple[str, Any]:
    """`"a.b=1"` as `("a.b", 1)`.

    Raises:
        SettingError: there is no `=`, or no key before it.
    """
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise SettingError(f"'{text}' is no setting; write key=value, such as epochs=6")
    if "\n" in text:
        raise SettingError("a setting is one line; repeat --set for the next one")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):  # no TOML, or a number or nesting beyond all bounds
        return key.strip(), value.strip()


def list_keys(values: Mapping[str, Any]) -> list[str]:
    """All dotted keys of nested tables."""
    return list(flatten(values))


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, by dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def suggest_key(key: str, known: list[str]) -> str:
    """Name the nearest key; `lr` finds `optimizer.lr`."""
    parts = [name for name in known if name.startswith(f"{key}.")]
    if parts:
        named = f"{key}.name" in parts
        return f"; did you mean '{key}.name'?" if named else f"; its parts: {', '.join(parts)}"
    leaves = {full.rsplit(".", 1)[-1]: full for full in known}
    if key in leaves:
        return f"; did you mean '{leaves[key]}'?"
    hint = nearest(key, known)
    if "did you mean" in hint:
        return hint
    hint = nearest(key.rsplit(".", 1)[-1], leaves)
    for leaf, full in leaves.items():
        if hint == f"; did you mean '{leaf}'?":
            return f"; did you mean '{full}'?"
    # Those beside it; tables by their name.
    table, depth = key.rpartition(".")[0], key.count(".") + 1
    beside = [name for name in known if not table or name.startswith(f"{table}.")]
    heads = dict.fromkeys(".".join(name.split(".")[:depth]) for name in beside or known)
    return f"; known: {', '.join(heads)}"


def explain(error: ValidationError, values: Mapping[str, Any]) -> str:
    """The first complaint of pydantic in our words: key, value, what was expected."""
    first = error.errors(include_url=False)[0]
    key = name_place(first["loc"])
    if first["type"] == "extra_forbidden":
        known = list_keys(Recipe.model_validate(_without(values, first["loc"])).plain())
        return f"unknown setting '{key}'{suggest_key(key, known)}"
    if first["type"] == "union_tag_invalid":
        context = first.get("ctx", {})
        known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
        return f"unknown {key}.name '{context['tag']}'{nearest(str(context['tag']), known)}"
    if first["type"] == "union_tag_not_found":
        return f"{key} has no name; say which one, such as {key}.name = '{UNIONS.get(key, 'flip')}'"
    if first["type"] == "missing":
        return f"{key} is missing"
    if first["type"] == "tuple_type":
        example = f", such as {LISTS[key]}" if key in LISTS else ""
        return f"{key} is {shorten(repr(first['input']))}; expected a list{example}"
    expected = first["msg"][0].lower() + first["msg"][1:]
    return f"{key} is {shorten(repr(first['input']))}; {expected}"


def shorten(text: str) -> str:
    """The beginning of a text that is too long for a line."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def name_place(loc: tuple[int | str, ...]) -> str:
    """A location as people write it, without the union members that pydantic puts in between."""
    parts, before = [], None
    for part in loc:
        one_of_many = before in UNIONS or (isinstance(before, int) and loc[0] == "augment")
        is_tag = isinstance(part, str) and one_of_many
        if not is_tag:
            parts.append(str(part))
        before = part
    return ".".join(parts)


def _without(values: Mapping[str, Any], loc: tuple[int | str, ...]) -> dict[str, Any]:
    """The name-giving part of values, enough to list which keys exist there."""
    kept: dict[str, Any] = {}
    for key in UNIONS:
        part = values.get(key)
        if key in loc and isinstance(part, Mapping) and "name" in part:
            kept[key] = {"name": part["name"]}
    return kept


def find_difference(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, as nested tables; another `name` keeps its whole table."""
    changed: dict[str, Any] = {}
    for key, value in values.items():
        default = defaults.get(key)
        if value == default:
            continue
        if not isinstance(value, Mapping) or not isinstance(default, Mapping):
            changed[key] = value
        elif value.get("name") != default.get("name"):
            changed[key] = dict(value)
        else:
            changed[key] = find_difference(value, default)
    return changed
