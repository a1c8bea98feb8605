"""Watchers: told what happens, in three calls.

They observe. What they return is ignored and what they draw from the global random generator
changes nothing; `State` is handed over so that it can be written, not written to. The most they
can do to a run is to end it, by an exception.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

from torch import Tensor

from smallvision.optim import Schedule
from smallvision.training.state import State


@dataclass(frozen=True)
class Plan:
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


@dataclass(frozen=True)
class EpochRecord:
    """One line of `metrics.jsonl`; docs/ARCHITECTURE.md says what each field is."""

    epoch: int
    step: int
    cycle: int
    lr: float
    loss: float
    train_loss: float
    train_accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    train_n: int
    val_n: int
    best: bool
    seconds: float
    images_per_second: float
    skipped: int = 0

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


class PrunedError(Exception):
    """Raised by a watcher after an epoch to end a run that is not worth its time."""


class Watcher(Protocol):
    """Anything that wants to see a run happen."""

    def on_start(self, plan: Plan) -> None:
        """Training is about to begin."""

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        """A step was taken; reading `loss` waits for the device, so read it rarely."""

    def on_epoch(self, record: EpochRecord, state: State, /) -> None:
        """An epoch ended and was measured; `state.stopped` says if it was the last."""
