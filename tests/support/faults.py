"""Faults that training meets: NaN losses and gradients, and memory that runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from smallvision.training import loop


class Injector:
    """Makes the loss or the gradient NaN at chosen updates of a run, or lets memory run out.

    Attributes:
        at: the updates, counted from 1.
        kind: `loss`, `infinite loss`, `gradient` or `memory`.
        updates: made so far.
    """

    def __init__(self, at: set[int], kind: str) -> None:
        self.at, self.kind, self.updates = at, kind, 0

    def wrap(self, update: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """An update with the fault where it was chosen."""

        def faulty(gradients: Any, *arguments: Any) -> Tensor:
            self.updates += 1
            if self.updates not in self.at:
                return update(gradients, *arguments)
            if self.kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory")
            maker, forward = gradients.maker, gradients.maker.forward
            maker.forward = self.break_forward(forward)
            try:
                return update(gradients, *arguments)
            finally:
                maker.forward = forward

        return faulty

    def break_forward(self, forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """A network whose output or gradient is NaN or infinite."""

        def faulty(x: Tensor) -> Tensor:
            logits = forward(x)
            if self.kind == "loss":
                return logits * float("nan")
            if self.kind == "infinite loss":
                return logits * float("inf")
            logits.register_hook(lambda gradient: gradient * float("nan"))
            return logits

        return faulty


@contextmanager
def inject(at: set[int], kind: str) -> Iterator[Injector]:
    """Let the runs of this context meet a fault."""
    injector, update = Injector(at, kind), loop.update
    loop.update = injector.wrap(update)
    try:
        yield injector
    finally:
        loop.update = update
