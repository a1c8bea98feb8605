"""Callbacks: told what happens, in a run and in the jobs that consist of runs.

They observe. What they return is ignored and what they draw from the global random generator
changes nothing; `State` is handed over so that it can be written, not written to. The most they
can do to a run is to end it, by an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from smallvision.optim import Schedule
from smallvision.records.schema import EpochMetrics, ValidatedRun
from smallvision.training.state import State


@dataclass(frozen=True)
class TrainingPlan:
    """What a run is about to do.

    Attributes:
        name: of the run.
        epochs: planned.
        steps: an epoch.
        batch_size: images a step.
        schedule: of the learning rate.
        lr: peak learning rate.
        first_epoch: 1, or the epoch a resumed run goes on with.
        notes: what a person should know before it goes on.
    """

    name: str
    epochs: int
    steps: int
    batch_size: int
    schedule: Schedule
    lr: float
    first_epoch: int
    notes: tuple[str, ...] = ()

    def cycle_ends(self) -> tuple[int, ...]:
        """The epochs at which cycles end."""
        return tuple((end + 1) // self.steps for end in self.schedule.cycle_ends)


class PrunedError(Exception):
    """Raised by a callback after an epoch to end a run that is not worth its time."""


class Callback:
    """Told what happens; a subclass overrides the methods it needs.

    >>> import smallvision as sv
    >>> class Printer(sv.Callback):
    ...     def on_epoch(self, metrics, state):
    ...         print(f"epoch {metrics.epoch}, {metrics.val_n} validation images")
    >>> run = sv.train("digits", "linear", settings=["epochs=2"], callbacks=[Printer()])
    epoch 1, 287 validation images
    epoch 2, 287 validation images
    """

    def on_message(self, sentence: str) -> None:
        """There is something that a person should know."""

    def on_stage_start(self, name: str, question: str) -> None:
        """Work on a rung of a ladder, or on a rerun of a search, is about to begin."""

    def on_stage_end(self, name: str, status: ValidatedRun) -> None:
        """That work is done, or was done before."""

    def on_stage_failed(self, name: str, error: str) -> None:
        """Work on a rung has failed."""

    def on_trial_start(self, number: int, /) -> None:
        """A trial of a search is about to begin, whose epochs are not told."""

    def on_train_start(self, plan: TrainingPlan) -> None:
        """Training is about to begin, or to go on."""

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """A step was taken; reading `loss` waits for the device, so read it rarely."""

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        """An epoch ended and was measured; `state.stopped` says if it was the last."""


class Callbacks(Callback):
    """Several callbacks as one, called in their order."""

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.callbacks = tuple(callbacks)

    def on_message(self, sentence: str) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_message(sentence)

    def on_stage_start(self, name: str, question: str) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_stage_start(name, question)

    def on_stage_end(self, name: str, status: ValidatedRun) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_stage_end(name, status)

    def on_stage_failed(self, name: str, error: str) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_stage_failed(name, error)

    def on_trial_start(self, number: int) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_trial_start(number)

    def on_train_start(self, plan: TrainingPlan) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_train_start(plan)

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_step(epoch, step, loss, lr)

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        """Tell all of them."""
        for callback in self.callbacks:
            callback.on_epoch(metrics, state)
