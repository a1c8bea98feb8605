import io

import pytest
import torch

from smallvision.cli.render import progress as module
from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.progress import LiveLines, TerminalProgress
from smallvision.optim import Schedule
from smallvision.training import TrainingPlan

PLAN = TrainingPlan("a", 1, 4, 8, Schedule(lambda _: 1.0, (3,)), lr=0.1, first_epoch=1)


def make_progress(*, terminal: bool) -> TerminalProgress:
    progress = TerminalProgress()
    progress.console = PlainConsole(file=io.StringIO(), force_terminal=terminal, width=120)
    return progress


def test_a_new_run_closes_the_line_of_the_last() -> None:
    progress = make_progress(terminal=True)
    opened = []
    for _ in range(2):
        progress.on_train_start(PLAN)
        assert isinstance(progress.lines, LiveLines)
        opened.append(progress.lines.live)
    assert [live.is_started for live in opened] == [False, True]
    progress.close()
    assert not opened[1].is_started


@pytest.mark.parametrize("what", ["nothing", "a trial", "a run", "a run and the next stage"])
def test_an_interruption_says_how_to_go_on_with_what_has_begun(what: str) -> None:
    progress = make_progress(terminal=False)
    if what == "a trial":
        progress.on_trial_start(0)
    if "run" in what:
        progress.on_train_start(PLAN)
    if "next" in what:
        progress.on_stage_start("wrn", "Does it help?")
    progress.__exit__(KeyboardInterrupt)
    said = progress.console.file.getvalue()
    assert ("before training began" in said) == (what == "nothing")
    assert ("go on with: smallvision" in said) == (what != "nothing")


def test_speed_is_of_this_sitting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of four steps were done before; one a second is 8 images a second."""
    clock = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    progress = make_progress(terminal=True)
    progress.on_train_start(PLAN)
    clock[0] += 1
    progress.on_step(1, 4, torch.tensor(1.0), 0.1)
    assert " 8 img/s" in progress.console.file.getvalue()
    progress.close()
