"""Tables where the terminal is narrow."""

from __future__ import annotations

import io

import pytest

from smallvision.cli.render.console import PlainConsole, open_console
from smallvision.cli.render.tables import new_table


def test_a_long_name_is_folded_and_no_figure_is_cut() -> None:
    table = new_table("run", "95 % interval", "time")
    table.add_row("a-study-with-a-long-name/runs/wrn-se-cutmix-mish", "97.5–99.8", "4 min 12 s")
    narrow = PlainConsole(file=io.StringIO(), width=44)
    narrow.print(table)
    shown = narrow.file.getvalue()
    for figure in ("95 % interval", "time", "97.5–99.8", "4 min 12 s"):
        assert figure in shown
    assert "…" not in shown


FIGURES = ("precision", "recall", "support", "95 % interval", "0.987", "0.123", "97.5–99.8")


def draw(width: int) -> list[str]:
    """A wide table with a title, as a terminal of a width shows it."""
    title = "12,345 validation images, 54,321 clean training images; ms to classify one"
    table = new_table("class", "precision", "recall", "support", "95 % interval", title=title)
    table.add_row("a class with a name of some length", "0.987", "0.123", "12,345", "97.5–99.8")
    console = PlainConsole(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_figures_are_whole_at_any_width(width: int) -> None:
    shown = "\n".join(draw(width))
    for figure in FIGURES:
        assert figure in shown, f"where a line has {width} characters"
    assert "…" not in shown


def test_names_give_way_first() -> None:
    widths = {width: max(map(len, draw(width)[2:])) for width in (20, 80)}
    assert widths[80] <= 80
    assert widths[20] < 80, "names are folded, and only then the line goes on"


def test_nothing_wraps_where_nobody_looks_at_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = open_console()
    table = new_table("picture", "class", title="x " * 100)
    table.add_row("p/" * 39, "c" * 79)
    console.print(table)
    console.print("word " * 200)
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if "word" in line]) == 1
    assert len([line for line in lines if "x x" in line]) == 1
    assert any("p/" * 39 in line and "c" * 79 in line for line in lines)
