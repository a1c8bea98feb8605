"""What all tables in the terminal have in common."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.style import StyleType
from rich.table import Table

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.text import show_name

MAX_LINES = 20  # classes in a table
STYLES = {"better": "green", "worse": "red", "cannot tell apart": "yellow"}


class NameTable(Table):
    """A table whose cells are names and figures: a long name loses its middle, a figure nothing.

    Styled text keeps its length: paths, and names that were shortened before.
    """

    def add_row(
        self,
        *cells: RenderableType | None,
        style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:
        """Add a row."""
        short = (show_name(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*short, style=style, end_section=end_section)


def new_table(*columns: str, title: str | None = None) -> NameTable:
    """A table with a first column of names and right-aligned figures after it."""
    table = NameTable(
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


def print_plain(console: PlainConsole, text: str) -> None:
    """Print a line that holds a path or a command, which must not be broken."""
    console.print(text, soft_wrap=True)


def print_verdict(console: PlainConsole, sentence: str, verdict: str) -> None:
    """Print the sentence of a verdict in its colour."""
    console.print(styled((sentence, STYLES[verdict])))
