"""Text that a terminal or a browser would obey, put wherever a record holds text."""

from __future__ import annotations

import dataclasses
import io
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from smallvision.cli.render.console import PlainConsole
from smallvision.records.schema import Record
from smallvision.reporting.view import Picture

Value = TypeVar("Value")

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

    Recipes are left out, which must be TOML, and the pictures themselves.
    """
    return _taint(value, change)  # type: ignore[no-any-return]


def _taint(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple | list):
        return type(value)(_taint(one, change) for one in value)
    if isinstance(value, dict):
        return {_taint(key, change): _taint(one, change) for key, one in value.items()}
    if isinstance(value, Record):
        fields = {name: _taint(getattr(value, name), change) for name in type(value).model_fields}
        taken = {name: one for name, one in fields.items() if _takes(type(value), name, one)}
        return value.model_copy(update=taken)
    if dataclasses.is_dataclass(value) and not isinstance(value, Picture | type):
        kept = {"recipe", "recipe_diff"}
        names = [field.name for field in dataclasses.fields(value) if field.name not in kept]
        return dataclasses.replace(
            value, **{name: _taint(getattr(value, name), change) for name in names}
        )
    return value


def _takes(model: type[Record], name: str, value: Any) -> bool:
    """Whether a field of a record may have a value."""
    try:
        _adapter(model, name).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@cache
def _adapter(model: type[Record], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    kind: Any = field.annotation
    return TypeAdapter(Annotated[kind, *field.metadata] if field.metadata else kind)


def print_to(draw: Callable[[PlainConsole], object], *, terminal: bool, width: int = 80) -> str:
    """What is printed to a console, encoded as a stream would."""
    file = io.StringIO()
    colours = "truecolor" if terminal else None
    draw(PlainConsole(file=file, force_terminal=terminal, width=width, color_system=colours))
    file.getvalue().encode()  # a surrogate would raise
    return file.getvalue()
