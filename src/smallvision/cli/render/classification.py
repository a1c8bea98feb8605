"""Classified pictures in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table
from smallvision.format import format_certainty
from smallvision.text import show_name

if TYPE_CHECKING:
    from smallvision.runs.classify import Classification


def print_classification(found: Classification, console: PlainConsole) -> None:
    """Print the class of each picture, and the next one."""
    for note in found.notes:
        console.print(note)
    table = new_table("picture", "class", "certainty", "next", "certainty")
    table.columns[0].no_wrap = False
    table.columns[1].justify = table.columns[3].justify = "left"
    for number, path in enumerate(found.paths):
        cells = [styled(str(path))]
        for name, probability in found.rank(number, 2):
            cells += [styled(show_name(name)), styled(format_certainty(probability))]
        table.add_row(*cells)
    console.print(table)
