import io

import pytest
import torch

from smallvision.cli.render import progress as module
from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.progress import LiveLines, TerminalProgress
from smallvision.optim import Schedule
from smallvision.training import TrainingPlan
from tests.support.records import make_metrics

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


@pytest.mark.parametrize(("code", "said"), [(0, ""), (143, "stopped before training began")])
def test_a_helper_that_is_done_was_not_stopped(code: int, said: str) -> None:
    progress = make_progress(terminal=False)
    with pytest.raises(SystemExit), progress:
        raise SystemExit(code)
    assert progress.console.file.getvalue().strip() == said


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


CELLS = {
    "epoch": "epoch 12/40",
    "step": "step 123/456",
    "loss": "loss 1.234",
    "lr": "lr 0.0123",
    "speed": "12,345 img/s",
    "left": "12 min 34 s left",
}


@pytest.mark.parametrize(
    ("width", "missing"),
    [
        (120, set()),
        (90, set()),
        (75, {"lr"}),
        (60, {"lr", "speed"}),
        (40, {"lr", "speed", "loss", "step"}),
    ],
)
def test_the_moving_line_leaves_out_whole_figures(width: int, missing: set[str]) -> None:
    console = PlainConsole(file=io.StringIO(), width=width)
    bar = module.ProgressBar(total=10, completed=5, width=module.BAR)
    console.print(module.arrange(CELLS, bar, width))
    [line] = console.file.getvalue().splitlines()
    assert len(line.rstrip()) <= width
    assert ("━" in line) == (width == 120)
    assert {name for name, text in CELLS.items() if text not in line} == missing


def test_an_epoch_line_is_one_line_in_a_narrow_terminal() -> None:
    """The terminal breaks it where it ends, and so does not cut a figure."""
    console = PlainConsole(file=io.StringIO(), force_terminal=True, width=40)
    lines = LiveLines(console, PLAN)
    lines.print_epoch(make_metrics(1))
    lines.close()
    shown = console.file.getvalue().splitlines()
    assert any("loss" in line and "img/s" in line for line in shown)
