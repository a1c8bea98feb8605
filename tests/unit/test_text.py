"""What people see of text from data."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import smallvision
from smallvision.errors import DataError
from smallvision.text import (
    MOST_NAME,
    MOST_TEXT,
    MOST_WORD,
    shorten,
    show_html,
    show_lines,
    show_name,
    show_text,
)
from tests.support.hostile_text import PLAIN

SOURCE = Path(smallvision.__file__).parent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\nb\rc\td\x00\x7f\x85", r"a\nb\rc\td\x00\x7f\x85"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u061c\u200e\u200f\u2066\u2069", r"\u061c\u200e\u200f\u2066\u2069"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\udcff.png", r"\udcff.png"),
        ("z\u200be\ufeffro\u2060\u00ad", r"z\u200be\ufeffro\u2060\xad"),
        ("\U000e0041\U000e0fff", r"\U000e0041\U000e0fff"),
        ("\uffff\ufdd0\U0001fffe", r"\uffff\ufdd0\U0001fffe"),
        ("\u3164\u115f\u034f", r"\u3164\u115f\u034f"),  # blank letters
        ("c\u200dat", r"c\u200dat"),  # a joiner that joins nothing makes two names look alike
        ("\u200dé", r"\u200dé"),
        ("é\u200d", r"é\u200d"),
        ("é\u200d\u200dé", "é\u200d\\u200dé"),
        ("c\ufe0fat", r"c\ufe0fat"),
        ("❤\ufe0f\ufe0f", "❤\ufe0f\\ufe0f"),
        ("\U000e0100é", r"\U000e0100é"),
    ],
)
def test_what_acts_or_does_not_show_becomes_an_escape(text: str, shown: str) -> None:
    assert show_text(text) == shown
    assert show_name(text) == shown


@pytest.mark.parametrize(
    "text", [*PLAIN, "a\\x1b", "“quotes” – dash", "a\u00a0b\u3000c", "葛\U000e0100"]
)
def test_letters_accents_and_emoji_stay(text: str) -> None:
    assert show_text(text) == text


def test_text_that_is_shown_may_be_shown_again() -> None:
    text = "a\x1b\u202e\udcff👩‍💻\n"
    assert show_text(show_text(text)) == show_text(text)


def test_lines_keep_their_breaks_and_nothing_else() -> None:
    assert show_lines("a\n\tb\x1b\r\n\u2028") == "a\n\tb\\x1b\\r\n\\u2028"


def test_html_is_escaped_too() -> None:
    assert show_html("<b>\x1b&") == r"&lt;b&gt;\x1b&amp;"


def test_an_error_shows_what_it_quotes() -> None:
    error = DataError("a\n b \x1b[2J\u202e \udcff")
    assert str(error) == r"a b \x1b[2J\u202e \udcff"


def test_long_names_lose_their_middle() -> None:
    name = f"begin{'x' * 10_000}end"
    assert len(show_name(name)) == MOST_NAME
    assert re.fullmatch("beginx+…x+end", show_name(name))
    assert show_name("y" * MOST_NAME) == "y" * MOST_NAME


def test_a_long_name_in_a_sentence_leaves_the_figures() -> None:
    name = "x" * 10_000
    shown = show_text(f"{name} reached 91.4 % against {name}, +2.1 points")
    assert " reached 91.4 % against x" in shown
    assert shown.endswith("x, +2.1 points")
    assert len(shown) < 2 * MOST_WORD + 60


def test_a_long_text_of_words_is_bounded() -> None:
    assert len(show_text("no end " * 10_000)) == MOST_TEXT


def test_no_path_is_cut() -> None:
    path = "/".join(["p" * 255] * 6)
    assert show_text(path) == path


@pytest.mark.parametrize(("most", "shown"), [(5, "01…89"), (4, "01…9"), (10, "0123456789")])
def test_a_text_is_cut_to_its_length(most: int, shown: str) -> None:
    assert shorten("0123456789", most) == shown


def list_imports(path: Path) -> set[str]:
    """What a file imports by name, and the functions that it calls as `print` or `typer.echo`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
        if isinstance(node, ast.Call):
            found.add(ast.unparse(node.func))
    return found


PRINTS = {
    "rich.console.Console": {
        "cli/render/console.py",
        "cli/render/tables.py",  # as the type of what draws a table
        "data/loading/download.py",
    },
    "rich.text.Text": {"cli/render/console.py", "cli/render/watching.py"},
    "rich.print": set[str](),
    "rich.markup.render": set[str](),
    "typer.echo": {"cli/output.py"},
    "typer.secho": set[str](),
    "print": set[str](),
    "sys.stdout.write": {"watching/live.py"},  # what a notebook without HTML prints
    "sys.stderr.write": set[str](),
    "markupsafe.Markup": {"reporting/page.py"},
    "html.escape": {"text.py"},
}


@pytest.mark.parametrize("way", PRINTS)
def test_text_leaves_by_the_known_ways(way: str) -> None:
    """`download.py` prints the names of files that the package itself lists."""
    users = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if way in list_imports(path)
    }
    users -= {"reporting/frame.py"} if way == "html.escape" else set()  # of a whole page
    assert users == PRINTS[way]


# Sentences, and facts of a machine.
LONG = {
    "data.source",
    "fact.value",
    "fault",
    "line.before",
    "one.settings",
    "reason",
    "row.step.note",
    "text",
    "this.more",
    "this.test",
}


def test_templates_write_names_as_names() -> None:
    wrong = [
        f"{path.name}: {value}"
        for path in (SOURCE / "reporting" / "templates").glob("*.j2")
        for value in re.findall(r"<bdi>\{\{ (.*?) \}\}</bdi>", path.read_text(encoding="utf-8"))
        if not value.endswith(("| name", "| shown_as")) and value not in LONG
    ]
    assert wrong == []


def test_only_our_own_style_and_script_are_taken_as_they_are() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.j2")]
    safe = [one for text in texts for one in re.findall(r"[\w.]+ \| safe", text)]
    assert sorted(safe) == [
        *2 * ["script | safe"],
        *2 * ["style | safe"],
    ]  # of a report, of `watch`
    assert not any("autoescape" in text for text in texts)
