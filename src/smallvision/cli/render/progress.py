"""Progress in a terminal: live lines when a person watches, plain ones when piped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from torch import Tensor

from smallvision.cli.options import spell_resumption
from smallvision.format import format_duration, format_percent
from smallvision.recipes import Recipe
from smallvision.training import EpochRecord, Plan, State, Watcher

REFRESH = 0.25  # seconds between live updates; reading the loss more often would slow a GPU


class TerminalNarrator:
    """Tells a study to a terminal, or to stderr when stdout is kept for JSON."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self.console = Console(stderr=to_stderr, highlight=False)
        self.live: LiveProgress | None = None
        self.watcher: LiveProgress | PlainLines | None = None
        self.training = False  # whether some has begun that a later call can go on with

    def __enter__(self) -> TerminalNarrator:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
            self.note_training()
            again = f"stopped; {spell_resumption()}"
            self.say(again if self.training else "stopped before training began")

    def close(self) -> None:
        """Take the moving line away, which an interrupted run leaves behind."""
        if self.live is not None:
            self.live.close()
            self.live = None

    def say(self, sentence: str) -> None:
        """Print one sentence."""
        self.console.print(sentence, markup=False, soft_wrap=not self.console.is_terminal)

    def note_training(self) -> None:
        """Remember whether the run that is watched has begun."""
        self.training |= self.watcher is not None and self.watcher.plan is not None

    def begin_trial(self) -> None:
        """A run that nobody watches is about to begin."""
        self.training = True

    def begin(self, name: str, question: str) -> None:
        """Announce a rung by its question."""
        self.console.print()
        self.console.print(f"[bold]{name}[/bold]  {question}")

    def watch_repeat(self, recipe: Recipe) -> Sequence[Watcher]:
        """Announce a repeat or a refit by its seed and watch it."""
        self.close()  # before the sentence, which would land in the moving line
        self.say(f"{recipe.name} once more, with seed {recipe.seed}")
        return self.watch_run()

    def watch_run(self) -> Sequence[Watcher]:
        """A live watcher for a terminal, a plain one otherwise; the one before it is closed."""
        self.close()  # a console shows one moving line at a time
        self.note_training()
        if self.console.is_terminal:
            self.watcher = self.live = LiveProgress(self.console)
        else:
            self.watcher = PlainLines(self.say)
        return [self.watcher]

    def finish(self, name: str, status: dict[str, Any]) -> None:
        """Say how a rung ended."""
        self.close()
        if status["status"] == "failed":
            self.console.print(f"{name} failed: {status['error']}", style="red", markup=False)
            return
        self.say(
            f"{name}: {format_percent(status['val']['accuracy'], status['val']['n'])} validation, "
            f"{format_percent(status['train']['accuracy'], status['train']['n'])} training, "
            f"best weights from epoch {status['best_epoch']} of {status['epochs_done']} "
            f"({status['stopped']}), {format_duration(status['seconds'])}"
        )


def tell_start(plan: Plan) -> list[str]:
    """What a person should know before training begins, and where it goes on if it had begun."""
    if plan.first_epoch == 1:
        return list(plan.notes)
    return [*plan.notes, f"going on with epoch {plan.first_epoch} of {plan.epochs}"]


class PlainLines:
    """One line an epoch, for logs and pipes."""

    def __init__(self, say: Any) -> None:
        self.say = say
        self.plan: Plan | None = None

    def on_start(self, plan: Plan) -> None:
        """Remember the plan; say where a resumed run goes on."""
        self.plan = plan
        for line in tell_start(plan):
            self.say(line)

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Steps are not worth a line."""

    def on_epoch(self, record: EpochRecord, _state: State) -> None:
        """Print the line."""
        assert self.plan is not None, "on_start comes first"
        left = record.seconds / record.epoch * (self.plan.epochs - record.epoch)
        val = ""
        if record.val_accuracy is not None:
            val = f"val {record.val_accuracy:.1%}{' *' if record.best else '  '}  "
        self.say(
            f"epoch {record.epoch:>3}/{self.plan.epochs}  loss {record.loss:.3f}  "
            f"train {record.train_accuracy:.1%}  {val}lr {record.lr:.4f}  "
            f"{record.images_per_second:,.0f} img/s  {format_duration(left)} left"
        )


class LiveProgress:
    """A table of epochs that grows, with a moving line for the epoch under way."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live: Live | None = None
        self.plan: Plan | None = None
        self.began = self.drawn = 0.0
        self.skipped: int | None = None  # steps of the first epoch that an earlier sitting did

    def on_start(self, plan: Plan) -> None:
        """Open the live line; a run that was rolled back begins anew."""
        self.close()
        self.plan, self.began, self.skipped = plan, time.perf_counter(), None
        for line in tell_start(plan):
            self.console.print(line, markup=False)
        self.live = Live(console=self.console, transient=True, auto_refresh=False)
        self.live.start()

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Redraw the moving line, a few times a second at most."""
        assert self.plan is not None, "on_start comes first"
        assert self.live is not None, "on_start comes first"
        if self.skipped is None:
            self.skipped = step - 1
        moment = time.perf_counter()
        if moment - self.drawn < REFRESH:
            return
        self.drawn = moment
        done = (epoch - self.plan.first_epoch) * self.plan.steps + step - self.skipped
        rest = (self.plan.epochs - epoch + 1) * self.plan.steps - step
        rate = done / (moment - self.began)
        line = Table.grid(padding=(0, 2))
        line.add_row(
            f"epoch {epoch}/{self.plan.epochs}",
            ProgressBar(total=self.plan.steps, completed=step, width=24),
            f"step {step}/{self.plan.steps}",
            f"loss {float(loss):.3f}",
            f"lr {lr:.4f}",
            f"{rate * self.plan.batch_size:,.0f} img/s",
            f"{format_duration(rest / rate)} left",
        )
        self.live.update(line, refresh=True)

    def on_epoch(self, record: EpochRecord, state: State) -> None:
        """Leave one line behind, and close after the last."""
        assert self.plan is not None, "on_start comes first"
        assert self.live is not None, "on_start comes first"
        line = Text(f"epoch {record.epoch:>3}/{self.plan.epochs}  loss {record.loss:.3f}  ")
        line.append(f"train {record.train_accuracy:.1%}")
        if record.val_accuracy is not None:
            line.append("  val ")
            line.append(f"{record.val_accuracy:.1%}", style="bold green" if record.best else "")
        line.append(
            f"  lr {record.lr:.4f}  {record.images_per_second:,.0f} img/s  "
            f"{format_duration(record.seconds)}",
            style="dim",
        )
        self.live.console.print(line)
        if state.stopped:
            self.close()

    def close(self) -> None:
        """Take the moving line away and give the cursor back."""
        if self.live is not None:
            self.live.stop()
