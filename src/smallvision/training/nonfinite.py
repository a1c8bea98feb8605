"""NaN and infinite losses and gradients, found at the step that made them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from smallvision.errors import FailedRunError
from smallvision.optim import find_norms


class DivergedError(FailedRunError):
    """The loss is NaN or infinite."""


class NonFiniteGradientError(Exception):
    """The gradient of a batch is not finite, so its step is not taken."""


@dataclass(frozen=True)
class StepInfo:
    """Where in a run a loss was computed, for the message that a person reads.

    Attributes:
        run: its name.
        epoch: counted from 1.
        step: of the epoch, counted from 1; 0 for the measurement after its last.
        lr: learning rate of the step.
        peak: the highest of the run.
    """

    run: str
    epoch: int
    step: int
    lr: float
    peak: float

    def explain(self, loss: float) -> str:
        """What happened, what is left and what to do."""
        where = f"at step {self.step}" if self.step else "after the last step"
        left = f"checkpoint {self.epoch - 1} is" if self.epoch > 1 else "no checkpoint is"
        return (
            f"the loss of '{self.run}' is {loss} {where} of epoch {self.epoch} (learning rate "
            f"{self.lr:.4g}); {left} good; try an optimizer.lr below {self.peak:g}, a longer "
            "schedule.warmup_epochs, or nonfinite=skip or nonfinite=roll-back"
        )

    def check(self, loss: float) -> None:
        """Stop a run whose loss is NaN or infinite, before it wastes the rest of its time.

        Raises:
            DivergedError: always in that case.
        """
        if not math.isfinite(loss):
            raise DivergedError(self.explain(loss))


class LossMonitor:
    """Checks the loss of every step: at once, or on CUDA as soon as it is known.

    Waiting for a GPU at every step leaves it idle in between, so on CUDA losses are copied
    beside its work and checked a step or two later.
    """

    def __init__(self) -> None:
        self.pending: deque[tuple[StepInfo, Tensor, Any]] = deque()

    def check(self, step: StepInfo, loss: Tensor) -> None:
        """Check a loss, or on CUDA those that are known by now.

        Raises:
            DivergedError: one is NaN or infinite.
        """
        if loss.device.type != "cuda":
            step.check(float(loss))
            return
        copied = torch.empty_like(loss, device="cpu", pin_memory=True)
        copied.copy_(loss, non_blocking=True)
        event: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self.pending.append((step, copied, event))
        while self.pending and self.pending[0][2].query():
            step, copied, _ = self.pending.popleft()
            step.check(float(copied))


def check_gradient(parameters: Iterable[nn.Parameter], loss: Tensor) -> None:
    """Refuse a step of which the loss or any gradient is not finite; waits for the device.

    Raises:
        NonFiniteGradientError: one is not.
    """
    norm = get_total_norm([p.grad for p in parameters if p.grad is not None])
    if not math.isfinite(float(norm + loss)):
        raise NonFiniteGradientError


def copy_statistics(model: nn.Module) -> list[Tensor]:
    """A copy of the running statistics of batch norm, which a NaN would spoil for good."""
    return [buffer.clone() for norm in find_norms(model) for buffer in norm.buffers()]


def restore_statistics(model: nn.Module, kept: list[Tensor]) -> None:
    """The inverse of `copy_statistics`."""
    buffers = [buffer for norm in find_norms(model) for buffer in norm.buffers()]
    for buffer, before in zip(buffers, kept, strict=True):
        buffer.copy_(before)
