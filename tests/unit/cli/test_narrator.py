import io

from rich.console import Console

from smallvision.cli.narrator import LiveProgress, TerminalNarrator
from smallvision.optim import SCHEDULES
from smallvision.training import Plan

PLAN = Plan("a", 1, 4, 8, SCHEDULES["cosine"].build(epochs=1, steps_per_epoch=4), 0.1, 1)


def test_a_new_run_closes_the_line_of_the_last() -> None:
    narrator = TerminalNarrator()
    narrator.console = Console(file=io.StringIO(), force_terminal=True)
    opened = []
    for _ in range(2):
        (watcher,) = narrator.watch_run()
        assert isinstance(watcher, LiveProgress)
        watcher.on_start(PLAN)
        assert watcher.live is not None
        opened.append(watcher.live)
    assert [live.is_started for live in opened] == [False, True]
    narrator.close()
    assert not opened[1].is_started
