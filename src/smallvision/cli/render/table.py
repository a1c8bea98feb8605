"""The one kind of table that commands print."""

from __future__ import annotations

from rich import box
from rich.table import Table


def new_table(*columns: str, title: str | None = None) -> Table:
    """A table with a first column of names and right-aligned figures after it."""
    table = Table(
        title=title,
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
        collapse_padding=True,
    )
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if position else "left", no_wrap=True)
    return table
