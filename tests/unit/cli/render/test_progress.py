import io

import pytest
import torch
from rich.console import Console

from smallvision.cli.render import progress as narration
from smallvision.cli.render.progress import LiveProgress, TerminalNarrator
from smallvision.optim import SCHEDULES
from smallvision.training import Plan

PLAN = Plan("a", 1, 4, 8, SCHEDULES["cosine"](epochs=1, steps_per_epoch=4), 0.1, 1)


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


@pytest.mark.parametrize("what", ["nothing", "a trial", "a run", "a run and the next"])
def test_an_interruption_says_how_to_go_on_with_what_has_begun(what: str) -> None:
    narrator = TerminalNarrator()
    narrator.console = Console(file=io.StringIO())
    if what == "a trial":
        narrator.begin_trial()
    if "run" in what:
        (watcher,) = narrator.watch_run()
        watcher.on_start(PLAN)
    if "next" in what:
        narrator.watch_run()
    narrator.__exit__(KeyboardInterrupt)
    said = narrator.console.file.getvalue()
    assert ("before training began" in said) == (what == "nothing")


def test_speed_is_of_this_sitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four steps were done before; one a second is 8 images a second."""
    clock = [100.0]
    monkeypatch.setattr(narration.time, "perf_counter", lambda: clock[0])
    watcher = LiveProgress(Console(file=io.StringIO(), force_terminal=True, width=120))
    watcher.on_start(PLAN)
    clock[0] += 1
    watcher.on_step(1, 4, torch.tensor(1.0), 0.1)
    assert " 8 img/s" in watcher.console.file.getvalue()
    watcher.close()
