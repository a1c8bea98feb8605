"""Tables of figures, for the terminal, the report and the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table as TerminalTable
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """Rows of text under column heads; the first cell of a row is its name.

    Attributes:
        columns: one head per cell.
        rows: all of the same length.
        lengths: for each row the length of its bar in the report, at least 0; empty for no bars.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    lengths: Sequence[float] = ()

    @property
    def shares(self) -> list[float]:
        """The lengths as fractions of the longest."""
        return [length / max(self.lengths) for length in self.lengths]

    def show(self) -> None:
        """Print the table in the terminal."""
        table = TerminalTable(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for position, column in enumerate(self.columns):
            table.add_column(column, justify="right" if position else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*map(Text, row))
        Console(highlight=False).print(table)

    def markdown(self) -> str:
        """The table as Markdown."""
        rows = [f"| {' | '.join(row)} |" for row in (self.columns, *self.rows)]
        return "\n".join([rows[0], f"|{'---|' * len(self.columns)}", *rows[1:]])
