"""Which epoch of a run is kept: the best on the validation images."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Best:
    """The best weights so far, by a validation score and then by validation loss.

    The score is the accuracy, or another figure that the recipe chooses by.

    Both are None before the first epoch, and in a run without validation images.
    """

    epoch: int = 0
    score: float | None = None
    loss: float | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)

    def improves(self, score: float | None, loss: float | None) -> bool:
        """Whether these figures beat the best so far; what was not measured always does."""
        if score is None or loss is None or self.score is None or self.loss is None:
            return True
        return (score, -loss) > (self.score, -self.loss)
