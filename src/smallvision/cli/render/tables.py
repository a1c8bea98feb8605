"""What all tables in the terminal have in common."""

from __future__ import annotations

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.style import StyleType
from rich.table import Table

from smallvision.cli.render.console import UNBOUNDED, PlainConsole, styled
from smallvision.text import show_name

MAX_LINES = 20  # classes in a table
LEAST_NAME = 12  # characters of a line of a name that is folded
BETWEEN = 3  # at most, from one column to the next
STYLES = {"better": "green", "worse": "red", "cannot tell apart": "yellow"}


class NameTable(Table):
    """A table whose cells are names and figures: a long name loses its middle, a figure nothing.

    Styled text keeps its length: paths, and names that were shortened before. Where a line is too
    narrow names are folded; where even that is not enough the line goes on beyond the terminal.

    Attributes:
        heading: a line above the table, as long as it is, or None.
    """

    heading: str | None = None

    def add_row(
        self,
        *cells: RenderableType | None,
        style: StyleType | None = None,
        end_section: bool = False,
    ) -> None:
        """Add a row."""
        short = (show_name(cell) if isinstance(cell, str) else cell for cell in cells)
        super().add_row(*short, style=style, end_section=end_section)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.heading is not None:
            yield styled((self.heading, "italic"))
        width = max(options.max_width, self.measure_least(console, options))
        yield from super().__rich_console__(console, options.update(width=width))

    def measure_least(self, console: Console, options: ConsoleOptions) -> int:
        """The width in which every figure is whole, and names are folded as far as they may be."""
        unbounded = options.update(width=UNBOUNDED)
        width = 0
        for column in self.columns:
            cells = (column.header, *column.cells)
            whole = max(Measurement.get(console, unbounded, cell).maximum for cell in cells)
            width += (whole if column.no_wrap else min(whole, LEAST_NAME)) + BETWEEN
        return width


def new_table(*columns: str, title: str | None = None) -> NameTable:
    """A table with a first column of names and right-aligned figures after it."""
    table = NameTable(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.heading = title
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
