"""The settings of a recipe that are searched, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from smallvision.recipes.keys import list_keys
from smallvision.recipes.overrides import override
from smallvision.recipes.settings.recipe import Recipe
from smallvision.records.schema import Choices, Dimension, FloatRange, SettingValues


def spell_value(value: float | int) -> str:
    """A whole number in full, any other to three digits.

    >>> spell_value(1600), spell_value(0.12345)
    ('1600', '0.123')
    """
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def build_space(recipe: Recipe) -> tuple[Dimension, ...]:
    """The settings with most influence, each in a range that contains the recipe's own value.

    These are learning rate, weight decay, dropout, label smoothing and batch size, as far as the
    recipe has them. A weight decay of zero is not searched, because its scale is logarithmic.
    """
    known = set(list_keys(recipe.plain()))
    lr, decay, batch = read_values(
        recipe, ("optimizer.lr", "optimizer.weight_decay", "batch_size")
    ).values()
    space: list[Dimension] = [
        FloatRange(key="optimizer.lr", low=lr / 5, high=min(lr * 5, 1e3), log=True),
    ]
    if decay > 0:
        low, high = decay / 10, min(decay * 10, 1.0)
        space.append(FloatRange(key="optimizer.weight_decay", low=low, high=high, log=True))
    for key, high in (("model.dropout", 0.3), ("label_smoothing", 0.2)):
        if key in known:
            own = read_values(recipe, [key])[key]
            space.append(FloatRange(key=key, low=0.0, high=max(high, own)))
    near = {max(2, int(batch) // 2), int(batch), min(2 * int(batch), 65536)}
    space.append(Choices(key="batch_size", choices=tuple(sorted(near))))
    return tuple(space)


def read_values(recipe: Recipe, keys: Sequence[str]) -> SettingValues:
    """What a recipe says at dotted keys."""
    values: SettingValues = {}
    for key in keys:
        place: Any = recipe.plain()
        for part in key.split("."):
            place = place[part]
        values[key] = place
    return values


def apply_values(recipe: Recipe, values: Mapping[str, float | int]) -> Recipe:
    """A recipe with other values at dotted keys.

    Raises:
        SettingError: a key is unknown or a value out of range.
    """
    return override(recipe, [f"{key}={value!r}" for key, value in values.items()])
