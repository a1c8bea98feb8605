"""When to stop early: patience in epochs, or in whole cycles so that it survives restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Patience:
    """How long a run may go on without a better validation accuracy, or another figure.

    A warm restart throws accuracy back for most of a cycle, so epochs are the wrong measure
    there; in cycles, a run stops only after `amount` whole cycles that brought nothing.

    Attributes:
        amount: epochs or cycles, at least 1; None never stops early.
        unit: what `amount` counts.
        learnt: accuracy on clean training images at which a run ends with the cycle: there is
            hardly anything left to learn from them; None to go on.
        figure: what epochs are chosen by, in words.
    """

    amount: int | None = None
    unit: Literal["epochs", "cycles"] = "cycles"
    learnt: float | None = None
    figure: str = "accuracy"

    def reason_to_stop(
        self, *, epoch: int, best_epoch: int, cycle_ends: Sequence[int], train_accuracy: float
    ) -> str | None:
        """Say why to stop after an epoch, or None to go on.

        Args:
            epoch: the epoch that just ended, counted from 1.
            best_epoch: the best epoch so far.
            cycle_ends: the epochs at which cycles end.
            train_accuracy: on clean training images, after this epoch.
        """
        if self.learnt is not None and epoch in cycle_ends and train_accuracy >= self.learnt:
            return f"knew its training images at the end of a cycle, epoch {epoch}"
        if self.amount is None:
            return None
        if self.unit == "epochs":
            spent = epoch - best_epoch >= self.amount
        else:
            ended = [0, *(end for end in cycle_ends if end <= epoch)]
            at_end = ended[-1] == epoch and len(ended) > self.amount
            spent = at_end and best_epoch <= ended[-1 - self.amount]
        unit = self.unit.removesuffix("s") if self.amount == 1 else self.unit
        if not spent:
            return None
        spell = f"{self.amount} {unit}"
        return f"no better validation {self.figure} in {spell} since epoch {best_epoch}"
