"""Text that a terminal or a browser would obey, put wherever a record holds text."""

from __future__ import annotations

import dataclasses
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from smallvision.cli.render.console import PlainConsole
from smallvision.records.schema import Record
from smallvision.records.schema.base import FileName
from smallvision.reporting.view import Picture, Pictured
from smallvision.shapes import MAX_NAME

Value = TypeVar("Value")
Takes: TypeAlias = Callable[[Any], bool]

NAMES = (
    "[/]",
    "[red]x",
    "[link=http://x]y",
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\y",
    "\x9b31m",
    "\u202egnp.exe",
    "\u2066\u2067\u200f",
    "a\nb",
    "a\rb\tc\x08d\x00\x7f",
    "a\u0085b\u2028c\u2029d",
    "z\u200be\ufeffr\u2060o",
    "\U000e0041\U000e0042",
    "</script><script>alert(1)</script>",
    "{{7*7}}{% raw %}",
    '" onload="x',
    "<img src=x onerror=alert(2)>",
    ":smile:",
    "$(rm x)`y`",
)
PLAIN = ("Äpfel", "猫", "кот", "קטן", "قطة", "می‌خواهم", "👩‍💻", "❤️‍🔥", "1️⃣", "🇩🇪", "क्‍ष")
# Neither of these may reach a person, whatever our own rule for what shows may say.
ACTING = frozenset("\u061c\u200b\u200e\u200f\u2060\ufeff\U000e0001\U000e0041") | frozenset(
    map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
STYLE = re.compile(r"\x1b\[[\d;]*m")  # the colours of a console of ours
CURSOR = re.compile(r"\x1b\[(?:\?25[lh]|\d*A|2K|1A)|\r")  # and of its moving lines


def find_acting(shown: str) -> set[str]:
    """The characters of an output that act; it may have line breaks, and be styled."""
    rest = STYLE.sub("", shown).replace("\n", "")
    return {
        one
        for one in rest
        if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") or one in ACTING
    }


def taint(value: Value, change: Callable[[str], str]) -> Value:
    """Change every text in records and views that the schema leaves free.

    A name that becomes too long is cut. Recipes are left out, which must be TOML, and the pictures
    themselves.
    """
    return _taint(value, change, lambda _: True)  # type: ignore[no-any-return]


def _taint(value: Any, change: Callable[[str], str], takes: Takes) -> Any:
    """As `taint`; `takes` tells whether the whole, of which this is a part, may have a value."""
    if isinstance(value, str):
        changed = change(value)
        return next(filter(takes, (changed, changed[:MAX_NAME])), value)
    if isinstance(value, tuple | list):
        parts = _taint_parts(dict(enumerate(value)), change, lambda new: takes(_like(value, new)))
        return _like(value, parts)
    if isinstance(value, dict):
        return _taint_keys(_taint_parts(value, change, takes), change, takes)
    if isinstance(value, Record):
        fields = {
            name: _taint(getattr(value, name), change, partial(_takes, type(value), name))
            for name in type(value).model_fields
        }
        return value.change(**fields)
    if isinstance(value, Pictured):  # whose keys are those names of files that its record holds
        return Pictured(
            _taint(value.record, change, takes),
            _taint_keys(dict(value.pictures), change, partial(_fits, _adapt(dict[FileName, Any]))),
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, Picture | type):
        kept = {"recipe", "recipe_diff"}
        names = [field.name for field in dataclasses.fields(value) if field.name not in kept]
        return dataclasses.replace(
            value, **{name: _taint(getattr(value, name), change, takes) for name in names}
        )
    return value


def _like(value: Any, parts: dict[int, Any]) -> Any:
    return type(value)(parts.values())


def _taint_parts(parts: dict[Any, Any], change: Callable[[str], str], takes: Takes) -> Any:
    """Change the values of a dictionary one by one."""
    for key, part in parts.items():
        # The names are bound here since the loop goes on.
        parts = parts | {
            key: _taint(part, change, lambda new, old=parts, key=key: takes(old | {key: new}))
        }
    return parts


def _taint_keys(parts: dict[Any, Any], change: Callable[[str], str], takes: Takes) -> Any:
    return {
        _taint(key, change, lambda new, part=part: takes({new: part})): part
        for key, part in parts.items()
    }


def _takes(model: type[Record], name: str, value: Any) -> bool:
    """Whether a field of a record may have a value."""
    return _fits(_adapt_field(model, name), value)


def _fits(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapt_field(model: type[Record], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, field])


@cache
def _adapt(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def list_texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the records in a value, with the class and the field that it stands in."""
    if isinstance(value, str) and place:
        yield place, value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from list_texts(one, place)
    elif isinstance(value, dict):
        yield from list_texts(list(value.values()), place)
    elif isinstance(value, Record):
        for name in type(value).model_fields:
            yield from list_texts(getattr(value, name), f"{type(value).__name__}.{name}")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from list_texts(getattr(value, field.name))


def print_to(draw: Callable[[PlainConsole], object], *, terminal: bool, width: int = 80) -> str:
    """What is printed to a console, encoded as a stream would."""
    file = io.StringIO()
    colours = "truecolor" if terminal else None
    draw(PlainConsole(file=file, force_terminal=terminal, width=width, color_system=colours))
    file.getvalue().encode()  # a surrogate would raise
    return file.getvalue()
