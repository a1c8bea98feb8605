"""Dotted keys of nested tables, such as `optimizer.lr`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smallvision.errors import nearest


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, by dotted keys.

    >>> flatten({"epochs": 3, "model": {"name": "mlp"}})
    {'epochs': 3, 'model.name': 'mlp'}
    """
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def list_keys(values: Mapping[str, Any]) -> list[str]:
    """All dotted keys of nested tables."""
    return list(flatten(values))


def suggest_key(key: str, known: list[str]) -> str:
    """Suggest the known key closest to a misspelt one, or list the known keys beside it.

    >>> suggest_key("lr", ["epochs", "optimizer.lr"])
    "; did you mean 'optimizer.lr'?"
    """
    parts = [name for name in known if name.startswith(f"{key}.")]
    if parts:
        named = f"{key}.name" in parts
        return f"; did you mean '{key}.name'?" if named else f"; its parts: {', '.join(parts)}"
    by_leaf = {full.rsplit(".", 1)[-1]: full for full in known}
    if key in by_leaf:
        return f"; did you mean '{by_leaf[key]}'?"
    hint = nearest(key, known)
    if "did you mean" in hint:
        return hint
    hint = nearest(key.rsplit(".", 1)[-1], by_leaf)
    for leaf, full in by_leaf.items():
        if hint == f"; did you mean '{leaf}'?":
            return f"; did you mean '{full}'?"
    # Nothing is close: list the keys of the same table, and of deeper tables only the names.
    table, depth = key.rpartition(".")[0], key.count(".") + 1
    beside = [name for name in known if not table or name.startswith(f"{table}.")]
    heads = dict.fromkeys(".".join(name.split(".")[:depth]) for name in beside or known)
    return f"; known: {', '.join(heads)}"


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
