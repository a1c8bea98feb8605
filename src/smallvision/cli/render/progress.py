"""Progress in a terminal: live lines when a person watches, plain ones when piped."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from torch import Tensor

from smallvision.cli.options import spell_resumption
from smallvision.cli.render.console import PlainConsole, open_console, styled
from smallvision.cli.render.run import tell_class_means
from smallvision.format import format_accuracy, format_duration, format_percent
from smallvision.records.schema import EpochMetrics, ValidatedRun
from smallvision.text import show_name
from smallvision.training import Callback, State, TrainingPlan

BAR, BETWEEN = 24, 2  # characters of the bar, and between what stands beside it
EXPENDABLE = ("lr", "speed", "loss", "step")  # of the moving line, the first one first
REFRESH = 0.25  # seconds between live updates; reading the loss more often would slow a GPU


class TerminalProgress(Callback):
    """Shows work in a terminal, or on stderr when stdout is kept for JSON.

    As a context it takes the moving line away at the end, and says how to go on with work that a
    signal stopped.
    """

    def __init__(self, *, to_stderr: bool = False) -> None:
        self.console = open_console(to_stderr=to_stderr)
        self.lines: LiveLines | PlainLines | None = None  # of the run under way
        self.has_trained = False  # whether a later call can go on with something

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None = None,
        *_: object,
    ) -> None:
        self.close()
        if isinstance(error, SystemExit) and error.code == 0:
            return  # a process that only helped is done
        if kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
            again = f"stopped; {spell_resumption()}"
            self.on_message(again if self.has_trained else "stopped before training began")

    def close(self) -> None:
        """Take the moving line away, which an interrupted run leaves behind."""
        if self.lines is not None:
            self.lines.close()
            self.lines = None

    def on_message(self, sentence: str) -> None:
        """Print the sentence."""
        self.close()
        self.console.print(sentence, soft_wrap=not self.console.is_terminal)

    def on_stage_start(self, name: str, question: str) -> None:
        """Announce a rung by its question."""
        self.close()
        self.console.print()
        self.console.print(styled((name, "bold"), f"  {question}"))

    def on_stage_end(self, name: str, status: ValidatedRun) -> None:
        """Say how a rung ended."""
        self.on_message(
            f"{show_name(name)}: {format_accuracy(status.val)} validation"
            f"{tell_class_means(status.val)}, "
            f"{format_accuracy(status.train)} training, "
            f"best weights from epoch {status.best_epoch} of {status.epochs_done} "
            f"({status.stopped}), {format_duration(status.seconds)}"
        )
        for note in status.notes:
            self.on_message(note)

    def on_stage_failed(self, name: str, error: str) -> None:
        """Say why a rung failed."""
        self.close()
        self.console.print(f"{name} failed: {error}", style="red")

    def on_trial_start(self, _number: int) -> None:
        """Remember that there is something to go on with."""
        self.has_trained = True

    def on_train_start(self, plan: TrainingPlan) -> None:
        """Say what a person should know, and show the epochs from here on."""
        self.has_trained = True
        for note in plan.notes:
            self.on_message(note)
        if plan.first_epoch > 1:
            self.on_message(f"going on with epoch {plan.first_epoch} of {plan.epochs}")
        self.close()  # a console shows one moving line at a time
        live = self.console.is_terminal
        self.lines = LiveLines(self.console, plan) if live else PlainLines(self.console, plan)

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Redraw the moving line."""
        assert self.lines is not None, "on_train_start comes first"
        self.lines.draw_step(epoch, step, loss, lr)

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        """Leave one line behind."""
        assert self.lines is not None, "on_train_start comes first"
        self.lines.print_epoch(metrics)
        if state.stopped:
            self.close()


def tell_score(metrics: EpochMetrics) -> str:
    """The figure that the epoch is judged by, where that is not the accuracy."""
    if metrics.val_score is None:
        return ""
    return f"  by class {format_percent(metrics.val_score)}"


class PlainLines:
    """One line an epoch, for logs and pipes."""

    def __init__(self, console: PlainConsole, plan: TrainingPlan) -> None:
        self.console, self.plan = console, plan

    def draw_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Steps are not worth a line."""

    def print_epoch(self, metrics: EpochMetrics) -> None:
        """Print the line."""
        left = metrics.seconds / metrics.epoch * (self.plan.epochs - metrics.epoch)
        val = ""
        if metrics.val_accuracy is not None:
            val = f"val {format_percent(metrics.val_accuracy)}{tell_score(metrics)}"
            val += " *  " if metrics.best else "    "
        self.console.print(
            f"epoch {metrics.epoch:>3}/{self.plan.epochs}  loss {metrics.loss:.3f}  "
            f"train {format_percent(metrics.train_accuracy)}  {val}lr {metrics.lr:.4f}  "
            f"{metrics.images_per_second:,.0f} img/s  {format_duration(left)} left",
            soft_wrap=True,
        )

    def close(self) -> None:
        """Nothing moves."""


class LiveLines:
    """A table of epochs that grows, with a moving line for the epoch under way."""

    def __init__(self, console: PlainConsole, plan: TrainingPlan) -> None:
        self.plan = plan
        self.began, self.drawn = time.perf_counter(), 0.0
        self.skipped: int | None = None  # steps of the first epoch that an earlier session did
        self.live = Live(console=console, transient=True, auto_refresh=False)
        self.live.start()

    def draw_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Redraw the moving line, a few times a second at most."""
        if self.skipped is None:
            self.skipped = step - 1
        moment = time.perf_counter()
        if moment - self.drawn < REFRESH:
            return
        self.drawn = moment
        done = (epoch - self.plan.first_epoch) * self.plan.steps + step - self.skipped
        rest = (self.plan.epochs - epoch + 1) * self.plan.steps - step
        rate = done / (moment - self.began)
        line = arrange(
            {
                "epoch": f"epoch {epoch}/{self.plan.epochs}",
                "step": f"step {step}/{self.plan.steps}",
                "loss": f"loss {float(loss):.3f}",
                "lr": f"lr {lr:.4f}",
                "speed": f"{rate * self.plan.batch_size:,.0f} img/s",
                "left": f"{format_duration(rest / rate)} left",
            },
            ProgressBar(total=self.plan.steps, completed=step, width=BAR),
            self.live.console.width,
        )
        self.live.update(line, refresh=True)

    def print_epoch(self, metrics: EpochMetrics) -> None:
        """Leave one line behind."""
        line = styled(f"epoch {metrics.epoch:>3}/{self.plan.epochs}  loss {metrics.loss:.3f}  ")
        line.append(f"train {format_percent(metrics.train_accuracy)}")
        if metrics.val_accuracy is not None:
            line.append("  val ")
            style = "bold green" if metrics.best else ""
            val = f"{format_percent(metrics.val_accuracy)}{tell_score(metrics)}"
            line.append(val, style=style)
        line.append(
            f"  lr {metrics.lr:.4f}  {metrics.images_per_second:,.0f} img/s  "
            f"{format_duration(metrics.seconds)}",
            style="dim",
        )
        self.live.console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Take the moving line away and give the cursor back."""
        self.live.stop()


def arrange(cells: Mapping[str, str], bar: ProgressBar, width: int) -> Table:
    """Lay the moving line out in a terminal: where it is narrow, whole cells are left out."""
    kept = dict(cells)
    for name in EXPENDABLE:
        if sum(len(text) + BETWEEN for text in kept.values()) > width:
            del kept[name]
    line = Table.grid(padding=(0, BETWEEN))
    epoch, *others = kept.values()
    room = width - sum(len(text) + BETWEEN for text in kept.values())
    line.add_row(*((epoch, bar) if room >= BAR else (epoch,)), *others)
    return line
