"""Text from data as people see it: nothing that a terminal or a browser would obey, and no floods.

Names of classes, runs and files, records, recipes and messages of other libraries may hold any
character. Files keep them as they are; what people look at goes through `show_text`, which the ways
out apply by themselves: `UserError`, the console of the terminal, `cli.output` and the templates.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import partial

MOST_NAME = 80  # characters of a name in a table
MOST_WORD = 255  # as long as any file name may be, so that no path is cut
MOST_TEXT = 2_000  # characters of a sentence
MARKS = re.compile(
    r"[!#$&()*+.:<>@\[\]\\`_{|}~-]"
)  # which Markdown may read as more than themselves
WORD = re.compile(rf"[^\s/\\]{{{MOST_WORD + 1},}}")

# Letters by their category, which show as nothing at all.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Formats by their category, which show: signs of Arabic, Syriac and Kaithi that enclose numbers.
SIGNS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)
JOINERS = frozenset("\u200c\u200d")
SELECTORS = frozenset(
    map(chr, (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
# Code points that are no characters, and the plane of tags.
NEVER = frozenset(
    map(
        chr,
        (
            *range(0xFDD0, 0xFDF0),
            *range(0xE0000, 0xE1000),
            *(plane + end for plane in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)),
        ),
    )
)
KEYCAPS = frozenset("0123456789#*")  # the ASCII characters that a selector makes an emoji of


def show_text(text: str, keep: str = "") -> str:
    r"""Write text on one line: characters that act or do not show become escapes, as in Python.

    These are control characters, line breaks, marks of direction, surrogates (names of files that
    are no UTF-8), formats without a glyph, tags and blank letters. Letters of every script, accents
    and emoji stay; so do joiners and variation selectors where scripts and emoji use them. A
    backslash stays as it is. Words and texts too long for a person lose their middle.

    Args:
        text: any text.
        keep: control characters that stay.

    >>> show_text("a\x1b[2J\u202eb")
    'a\\x1b[2J\\u202eb'
    """
    text = shorten(WORD.sub(lambda word: shorten(word[0], MOST_WORD), text), MOST_TEXT)
    return escape(text, keep)


def show_name(text: str) -> str:
    """Write a name as `show_text` does, short enough for a table."""
    return escape(shorten(text, MOST_NAME))


def show_lines(text: str) -> str:
    """Write text of several lines, such as a recipe, whose line breaks and tabs stay."""
    return "\n".join(map(partial(show_text, keep="\t"), text.split("\n")))


def show_html(text: str) -> str:
    """Write text as `show_text` does, for a place between or in elements of HTML."""
    return html.escape(show_text(text))


def show_markdown(text: str) -> str:
    r"""Write text as `show_text` does, for a place in Markdown that reads none of it as a mark.

    >>> show_markdown("*a* <b> [c](https://d)")
    '\\*a\\* \\<b\\> \\[c\\]\\(https\\://d\\)'
    """
    return MARKS.sub(r"\\\g<0>", show_text(text))


def shorten(text: str, most: int) -> str:
    """Put an ellipsis in place of the middle of a long text, which then has `most` characters.

    >>> shorten("0123456789", 5)
    '01…89'
    """
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[len(text) - end :]}"


def escape(text: str, keep: str = "") -> str:
    """Write every character that acts or does not show as an escape."""
    if text.isascii() and text.isprintable():
        return text
    around = zip(("", *text), text, (*text[1:], ""), strict=False)
    return "".join(
        here
        if here in keep or is_seen(before, here, after)
        else here.encode("unicode_escape").decode()
        for before, here, after in around
    )


def is_seen(before: str, here: str, after: str) -> bool:
    """Whether a character shows, or does between its neighbours what their script needs."""
    if here in JOINERS:
        return not (before.isascii() or after.isascii() or before in JOINERS)
    if here in SELECTORS:
        return before in KEYCAPS or not (before.isascii() or before in SELECTORS)
    if here.isprintable():
        return here not in BLANK
    kind = unicodedata.category(here)
    if kind == "Cn":  # a later Unicode may know it, but never as what this refuses
        return here not in NEVER
    return kind in ("Zs", "Co") or here in SIGNS
