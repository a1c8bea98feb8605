"""A watched folder in the terminal: redrawn where a person looks, and lines where it is piped."""

from __future__ import annotations

import time

from rich.live import Live
from rich.text import Text

from smallvision.cli.render.console import PlainConsole, open_console, styled
from smallvision.cli.render.tables import print_plain
from smallvision.records.nofollow import is_file
from smallvision.watching.lines import ASCII_BLOCKS, BLOCKS, Line, draw_lines, list_changes
from smallvision.watching.snapshot import Snapshot
from smallvision.watching.watcher import Watcher

STYLES = {
    "": "",
    "strong": "bold",
    "soft": "dim",
    "good": "bold green",
    "bad": "red",
    "now": "cyan",
}
HINT = "Ctrl-C ends the watching, and nothing else."


def follow(watcher: Watcher, every: float) -> None:
    """Show some work until it is over.

    Args:
        watcher: of its folder.
        every: seconds from one look at the records to the next.
    """
    console = open_console()
    if console.is_terminal:
        last = follow_live(watcher, every, console)
    else:
        last = follow_plainly(watcher, every, console)
    report = last.folder / "report.html"
    if is_file(report):
        print_plain(console, f"Report: {report}")


def follow_live(watcher: Watcher, every: float, console: PlainConsole) -> Snapshot:
    """Redraw the whole, as often as is looked."""
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            snapshot = watcher.look()
            live.update(draw(snapshot, console, is_last=snapshot.is_over), refresh=True)
            if snapshot.is_over:
                return snapshot
            time.sleep(every)


def draw(snapshot: Snapshot, console: PlainConsole, *, is_last: bool) -> Text:
    """A snapshot as text; while it moves, no higher than the terminal."""
    blocks = BLOCKS if console.encoding.startswith("utf") else ASCII_BLOCKS
    lines = list(draw_lines(snapshot, console.width - 1, blocks))
    if not is_last:
        room = console.height - 3
        if len(lines) > room:
            rest = f"({len(lines) - room + 1} more lines; a higher terminal shows them)"
            lines = [*lines[: room - 1], ((rest, "soft"),)]
        lines += [(), ((HINT, "soft"),)]
    return Text("\n").join(map(paint, lines))


def paint(line: Line) -> Text:
    """A line in its colours."""
    return styled(*((text, STYLES[tone]) for text, tone in line))


def follow_plainly(watcher: Watcher, every: float, console: PlainConsole) -> Snapshot:
    """Print what is new, a line each."""
    before = None
    while True:
        snapshot = watcher.look()
        for line in list_changes(before, snapshot):
            print_plain(console, line)
        if snapshot.is_over:
            return snapshot
        before = snapshot
        time.sleep(every)
