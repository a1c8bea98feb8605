"""Averages of weights: a second network that follows the one in training, and is flatter."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from smallvision.optim import Schedule
from smallvision.training.evaluator import Evaluator


class Average:
    """A network beside the one in training, from the same weights; this one never comes to be.

    Training goes on from its own weights: an average is measured, kept and saved, and changes
    nothing. What it remembers is the network and nothing else, so that a checkpoint of its
    weights is enough to resume it.

    Attributes:
        network: the average, or None as long as there is none.

    Args:
        model: the network in training; its tensors are followed in place.
        schedule: of the run.
        epochs: of the run.
    """

    def __init__(self, model: nn.Module, schedule: Schedule, epochs: int) -> None:
        self.model, self.schedule, self.epochs = model, schedule, epochs
        self.network: nn.Module | None = None
        self.pairs: tuple[list[Tensor], list[Tensor]] = ([], [])

    def follow_step(self, step: int) -> None:
        """Take in the weights after an update; steps count from 0 over the whole run."""

    def follow_epoch(self, epoch: int, evaluator: Evaluator) -> None:
        """Take in the weights after an epoch, counted from 1."""

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Begin with these weights, parameters and buffers."""
        network = copy.deepcopy(self.model).requires_grad_(False)
        network.load_state_dict(weights)
        ours, theirs = network.state_dict(), self.model.state_dict()
        names = [name for name, tensor in ours.items() if tensor.is_floating_point()]
        self.pairs = [ours[name] for name in names], [theirs[name] for name in names]
        self.network = network

    @torch.no_grad()
    def approach(self, share: float) -> None:
        """Go a share of the way to the weights in training; a share of 1 copies them exactly."""
        if self.network is None:
            self.restore(self.model.state_dict())
        torch._foreach_lerp_(*self.pairs, share)


class Ema(Average):
    """An exponential moving average of the weights after every update.

    It begins anew with every cycle, from the weights after the cycle's first update: those of
    the cycle before were thrown out of their minimum, so an average across a restart would be
    one of two valleys. The n-th update of a cycle keeps `min(decay, (n - 1) / (n + 8))` of the
    average, so that a short run is not an average of its first steps. Running statistics of
    batch norm are averaged like weights.

    Args:
        decay: share of the average that an update keeps in the long run, in [0, 1).

    Source: Polyak and Juditsky, SIAM J. Control Optim. 30 (1992); the warm-up is that of
    TensorFlow's ExponentialMovingAverage, one update later.
    """

    def __init__(
        self, model: nn.Module, schedule: Schedule, epochs: int, *, decay: float = 0.999
    ) -> None:
        super().__init__(model, schedule, epochs)
        self.decay = decay

    def follow_step(self, step: int) -> None:
        """Move towards the weights after this update."""
        before = self.schedule.count_since_restart(step)
        self.approach(1 - min(self.decay, before / (before + 9)))


class Swa(Average):
    """The mean of the weights at the ends of epochs, from some share of the run on.

    Until then there is no average. Batch-norm statistics are taken anew from clean training
    images after every epoch that joins.

    Args:
        start: share of the planned epochs after which weights count, in [0, 1].

    Source: Izmailov et al., arXiv 1803.05407; the learning rate is that of the run's schedule.
    """

    def __init__(
        self, model: nn.Module, schedule: Schedule, epochs: int, *, start: float = 0.75
    ) -> None:
        super().__init__(model, schedule, epochs)
        self.first = next(epoch for epoch in range(1, epochs + 1) if epoch / epochs >= start)

    def follow_epoch(self, epoch: int, evaluator: Evaluator) -> None:
        """Join the weights of this epoch, if it is late enough."""
        if epoch >= self.first:
            self.approach(1 / (epoch - self.first + 1))
            assert self.network is not None, "approach makes it"
            evaluator.refresh_norms(self.network)


# Builders `(model, schedule, epochs, **settings) -> Average`; `recipes.settings.optimization` has
# their settings and cards.
AVERAGES: dict[str, type[Average]] = {"none": Average, "ema": Ema, "swa": Swa}
