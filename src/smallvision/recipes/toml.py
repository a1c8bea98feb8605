"""Recipes as TOML files, and one-line errors for what a recipe may not say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from smallvision.data.decoding.regular import read_regular
from smallvision.errors import DataError, RecordError, SettingError, nearest
from smallvision.recipes.keys import list_keys, suggest_key
from smallvision.recipes.settings.recipe import TECHNIQUES, Recipe, find_technique
from smallvision.records.files import hash_bytes, read_bytes
from smallvision.records.layout import RECIPE, read_status
from smallvision.records.nesting import MAX_TOML_BYTES, load_toml

MOST_SHOWN = 80  # characters of a faulty value
# What to say in place of pydantic's sentence, which names classes of Python.
EXPECTED = {
    "tuple_type": "expected a list",
    "model_type": "expected a table of settings",
    "model_attributes_type": "expected a table of settings with a name",
}
# How a list is written in a shell, which takes quotes away.
LISTS = {
    "augment": "\"augment=['flip','crop']\"",
    "random_crop_phase": '"random_crop_phase=[{until=0.5,side=28}]"',
}

Place = tuple[int | str, ...]  # where in a recipe pydantic found a fault


def write_toml(values: Mapping[str, Any]) -> str:
    """Plain values as TOML text."""
    return tomli_w.dumps(values)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from a TOML file that a person names; what it leaves out keeps its default.

    Raises:
        SettingError: the file is missing, is not TOML, or says what no recipe may say.
    """
    try:
        content = read_regular(path, str(path), most=MAX_TOML_BYTES)
    except DataError as error:
        raise SettingError(f"recipe {error}") from error
    return parse_text(content, path)


def read_own_recipe(path: Path) -> Recipe:
    """Read a recipe that lies in a folder of records, where nothing is a link.

    Raises:
        RecordError: the file is missing, unreadable or a link.
        SettingError: as for `read_recipe`.
    """
    return parse_text(read_bytes(path, MAX_TOML_BYTES), path)


def read_run_recipe(run: Path) -> Recipe:
    """Read the recipe that a run was made with, which nobody may change afterwards.

    Raises:
        RecordError: its hash is not the one in the run's status, or as for `read_own_recipe`.
        SettingError: as for `read_recipe`.
    """
    path = run / RECIPE
    content = read_bytes(path, MAX_TOML_BYTES)
    if read_status(run).recipe_sum != hash_bytes(content):
        raise RecordError(
            f"{path} is not what this run was made with: damaged, or edited; restore it (to train "
            "with other settings, copy it to another place)"
        )
    return parse_text(content, path)


def parse_text(content: bytes, path: Path) -> Recipe:
    """A recipe from the content of a TOML file.

    Raises:
        SettingError: it is not TOML, or says what no recipe may say.
    """
    try:
        values = load_toml(content.decode().replace("\r\n", "\n"))
    except ValueError as error:  # TOML and UTF-8 errors
        raise SettingError(f"recipe {path} cannot be read: {error}") from error
    return parse_recipe(values)


def sum_recipe(recipe: Recipe) -> str:
    """The SHA-256 of a recipe's TOML text, by which a run's status vouches for it."""
    return hash_bytes(write_toml(recipe.plain()).encode())


def parse_recipe(values: Mapping[str, Any]) -> Recipe:
    """Check plain values and make a recipe of them.

    Raises:
        SettingError: an unknown key, or a value of the wrong type or out of range.
    """
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise SettingError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """The first fault that pydantic found, in one line: key, value, what was expected."""
    fault = error.errors(include_url=False)[0]
    place, kind = fault["loc"], fault["type"]
    key = spell_place(place)
    if kind == "extra_forbidden":
        return f"unknown setting '{shorten(key)}'{suggest_key(key, list_allowed(place))}"
    if kind == "union_tag_invalid":
        name = str(fault["ctx"]["tag"])
        return f"unknown {key}.name '{shorten(name)}'{nearest(name, list_names(place))}"
    if kind == "union_tag_not_found":
        return f"{key} has no name; set {key}.name to one of {', '.join(list_names(place))}"
    if kind == "missing":
        return f"{key} is missing"
    expected = EXPECTED.get(kind, fault["msg"][0].lower() + fault["msg"][1:])
    if kind == "tuple_type" and key in LISTS:
        expected += f", such as {LISTS[key]}"
    return f"{key} is {spell_value(fault['input'])}; {expected}"


def spell_value(value: Any) -> str:
    """A faulty value, or its beginning."""
    if isinstance(value, list | tuple) and len(value) > MOST_SHOWN:
        return f"a list of {len(value):,}"
    try:
        return shorten(repr(value))
    except (ValueError, RecursionError):  # of more than 4,300 digits, or thousands of levels
        return "a value beyond all bounds"


def shorten(text: str) -> str:
    """The beginning of a text that is too long for a line."""
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def spell_place(place: Place) -> str:
    """A place as a dotted key, without the technique that pydantic names after its table.

    >>> spell_place(("optimizer", "sgd", "lr")), spell_place(("augment", 0, "crop", "padding"))
    ('optimizer.lr', 'augment.0.padding')
    """
    if not place or place[0] not in TECHNIQUES:
        return ".".join(map(str, place))
    tag = 2 if place[0] == "augment" else 1
    return ".".join(str(part) for i, part in enumerate(place) if i != tag)


def list_names(place: Place) -> list[str]:
    """The names of the techniques that a table may choose from."""
    return [technique().name for technique in TECHNIQUES[str(place[0])]]


def list_allowed(place: Place) -> list[str]:
    """The keys that are allowed where an unknown one was found."""
    if place[0] in TECHNIQUES and len(place) > 1:
        fields = find_technique(str(place[0]), str(place[-2])).model_fields
        return [f"{spell_place(place[:-1])}.{field}" for field in fields]
    return list_keys(Recipe().plain())
