"""Tables where the terminal is narrow."""

from __future__ import annotations

import io

from smallvision.cli.render.console import PlainConsole
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
