"""What all tables in the terminal have in common."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

MAX_LINES = 20  # classes in a table
STYLES = {"better": "green", "worse": "red", "cannot tell apart": "yellow"}


def new_table(*columns: str, title: str | None = None) -> Table:
    """A table with a first column of names and right-aligned figures after it."""
    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    # Where a line is too narrow a long name is folded, never a figure.
    table.add_column(columns[0], overflow="fold")
    for column in columns[1:]:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def print_plain(console: Console, text: str) -> None:
    """Print a line that holds a path or a command, which must not be broken."""
    console.print(text, soft_wrap=True, markup=False)


def print_verdict(console: Console, sentence: str, verdict: str) -> None:
    """Print the sentence of a verdict in its colour."""
    console.print(Text(sentence, style=STYLES[verdict]))
