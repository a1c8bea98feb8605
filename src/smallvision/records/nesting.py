"""How deep text in JSON or TOML may be nested.

Readers, printers and checkers call themselves for each level, so that deep text ends them in ways
of their own; some take time that grows with the square of the depth.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_DEPTH = 64  # the deepest of our files has 10 levels
MAX_CONTAINERS = 200_000  # lists and tables; an empty one takes 60 bytes of memory for 3 of text
MAX_TOML_BYTES = 64_000  # a recipe has 2,000
# Strings first, so that the brackets in them do not count. One without an end goes to the last
# character, and no step is taken back, so that the time grows with the length alone.
_NO_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[^][{}"]++', re.DOTALL)


def check_depth(text: str) -> None:
    """Refuse text whose lists and tables are nested deeper, or more, than in any file of ours.

    Raises:
        ValueError: they are.
    """
    depth, brackets = 0, _NO_BRACKETS.sub("", text)
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise ValueError(f"it holds more than {MAX_CONTAINERS:,} lists and tables")
    for bracket in brackets:
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested too deeply: more than {MAX_DEPTH} levels")


def load_toml(text: str) -> dict[str, Any]:
    """Plain values from a small TOML text.

    Raises:
        ValueError: it is no TOML, too large, or nested too deeply.
    """
    if len(text) > MAX_TOML_BYTES:
        raise ValueError(f"it has {len(text):,} characters; expected at most {MAX_TOML_BYTES:,}")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    check_depth("\n".join(lines))
    for line in lines:
        if line.count(".") > MAX_DEPTH:  # each dot of a key is a level
            raise ValueError(f"it is nested too deeply: a line with more than {MAX_DEPTH} dots")
    return tomllib.loads(text)
