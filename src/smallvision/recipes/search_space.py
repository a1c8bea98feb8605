"""The settings of a recipe that are searched, and their bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from smallvision.recipes.keys import list_keys
from smallvision.recipes.overrides import override
from smallvision.recipes.settings.recipe import Recipe

Values: TypeAlias = dict[str, float | int]  # dotted key -> value


@dataclass(frozen=True)
class FloatRange:
    """A number between two bounds, both included; `log` means a logarithmic scale."""

    key: str
    low: float
    high: float
    log: bool = False

    def contains(self, value: float) -> bool:
        """Whether the search could propose a value."""
        return self.low <= value <= self.high

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"key": self.key, "kind": "float", **asdict(self)}

    def __str__(self) -> str:
        return f"{self.low:.3g} to {self.high:.3g}{', log scale' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of a few numbers."""

    key: str
    choices: tuple[int, ...]

    def contains(self, value: float) -> bool:
        """Whether the search could propose a value."""
        return value in self.choices

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"key": self.key, "kind": "choice", "choices": list(self.choices)}

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.choices))}"


def spell_value(value: float | int) -> str:
    """A whole number in full, any other to three digits.

    >>> spell_value(1600), spell_value(0.12345)
    ('1600', '0.123')
    """
    return str(value) if isinstance(value, int) else f"{value:.3g}"


Dimension: TypeAlias = FloatRange | Choice


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
        FloatRange("optimizer.lr", lr / 5, min(lr * 5, 1e3), log=True),
    ]
    if decay > 0:
        bounds = decay / 10, min(decay * 10, 1.0)
        space.append(FloatRange("optimizer.weight_decay", *bounds, log=True))
    for key, high in (("model.dropout", 0.3), ("label_smoothing", 0.2)):
        if key in known:
            own = read_values(recipe, [key])[key]
            space.append(FloatRange(key, 0.0, max(high, own)))
    near = {max(2, int(batch) // 2), int(batch), min(2 * int(batch), 65536)}
    space.append(Choice("batch_size", tuple(sorted(near))))
    return tuple(space)


def read_values(recipe: Recipe, keys: Sequence[str]) -> Values:
    """The values of a recipe at dotted keys."""
    values: Values = {}
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
