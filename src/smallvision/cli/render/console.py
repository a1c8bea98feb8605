"""The console that all output for people goes through, and styled text for it.

Records hold text of strangers. A console of ours shows every string as it is, with escapes for what
a terminal would obey, and reads no markup and no `:emoji:` in it. Style is given beside the text.
"""

from __future__ import annotations

from typing import Any

from rich.console import Console, JustifyMethod, OverflowMethod
from rich.style import Style
from rich.text import Text

from smallvision.text import show_text

UNBOUNDED = 100_000  # characters of a line that goes to a file or another program


class PlainConsole(Console):
    """A console that interprets nothing in the strings that it is given.

    The strings of its tables, titles and columns pass `render_str` too.
    """

    def render_str(
        self,
        text: str,
        *,
        style: str | Style = "",
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        **_: Any,
    ) -> Text:
        """Make text of a string, whatever rich was told to read in it."""
        return Text(show_text(text), style=style, justify=justify, overflow=overflow)

    def print(self, *objects: Any, crop: bool = False, **how: Any) -> None:
        """Print as rich does, but let what does not fit go on instead of cutting it off."""
        super().print(*objects, crop=crop, **how)


def open_console(*, to_stderr: bool = False) -> PlainConsole:
    """The console of a command: stdout, or stderr where stdout is kept for JSON.

    Where nobody looks at a terminal, lines are as long as what they hold.
    """
    console = PlainConsole(stderr=to_stderr)
    return console if console.is_terminal else PlainConsole(stderr=to_stderr, width=UNBOUNDED)


def styled(*parts: str | tuple[str, str | Style]) -> Text:
    """Text of strings, and of strings with their style: `styled(("wrn", "bold"), " is best")`."""
    pairs = (part if isinstance(part, tuple) else (part, Style()) for part in parts)
    return Text.assemble(*((show_text(text), style) for text, style in pairs))
