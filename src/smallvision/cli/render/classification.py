"""Classified pictures in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from smallvision.cli.render.tables import new_table
from smallvision.format import format_certainty

if TYPE_CHECKING:
    from smallvision.runs.classify import Classification


def print_classification(found: Classification, console: Console) -> None:
    """Print the class of each picture, and the next one."""
    for note in found.notes:
        console.print(note, markup=False)
    table = new_table("picture", "class", "certainty", "next", "certainty")
    table.columns[0].no_wrap = False
    table.columns[1].justify = table.columns[3].justify = "left"
    for number, path in enumerate(found.paths):
        cells: list[Text | str] = [Text(str(path), overflow="fold")]
        for name, probability in found.rank(number, 2):
            cells += [Text(name), format_certainty(probability)]
        table.add_row(*cells)
    console.print(table)
