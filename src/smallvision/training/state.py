"""All that a run needs to go on after a stop, as tensors and plain numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from smallvision.records.schema import CheckpointState
from smallvision.training.averaging import Average
from smallvision.training.best_epoch import Best


@dataclass
class State:
    """A model in training.

    Attributes:
        model: the network, on its device.
        optimizer: over the model's parameters.
        average: of the model's weights, which may be none.
        epoch: epochs finished.
        averaged_epochs: the last epoch whose end the average has seen.
        step: steps finished of the epoch after that.
        skipped: of those steps, left out since their gradient was not finite.
        loss_sum: of the other steps.
        slowdown: what all learning rates are multiplied by, below 1 after a roll-back.
        best: the best weights so far.
        seconds: time spent training, over all sessions.
        stopped: why training ended, or None while it goes on.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    epoch: int = 0
    averaged_epochs: int = 0
    step: int = 0
    skipped: int = 0
    loss_sum: Tensor | float = 0.0
    slowdown: float = 1.0
    best: Best = field(default_factory=Best)
    seconds: float = 0.0
    stopped: str | None = None

    @property
    def eval_model(self) -> nn.Module:
        """The network that is measured and kept: the average, or the model where there is none."""
        return self.model if self.average.network is None else self.average.network

    def count_step(self, loss: Tensor | None, seconds: float) -> None:
        """A step was taken, with this loss, or left out."""
        self.step, self.seconds = self.step + 1, seconds
        if loss is None:
            self.skipped += 1
        else:
            self.loss_sum = self.loss_sum + loss

    def mean_loss(self) -> float:
        """Mean loss of the steps of this epoch that were taken; NaN if there was none."""
        taken = self.step - self.skipped
        return float(self.loss_sum) / taken if taken else math.nan

    def end_epoch(self, seconds: float) -> None:
        """All steps of an epoch are done, and measured."""
        self.epoch, self.seconds = self.epoch + 1, seconds
        self.step, self.skipped, self.loss_sum = 0, 0, 0.0

    def is_sound(self) -> bool:
        """Whether no loss or weight is NaN or infinite, so that training may go on from here."""
        values = (
            float(self.loss_sum),
            *(float(p.detach().abs().max()) for p in self.model.parameters()),
        )
        return all(map(math.isfinite, values))

    def tensors(self) -> dict[str, dict[str, Tensor]]:
        """Weights, optimiser state and the average, if any, as they are saved in a checkpoint."""
        tensors = {
            "model": self.model.state_dict(),
            "state": flatten_optimizer(self.optimizer),
        }
        if self.average.network is not None:
            tensors["average"] = self.average.network.state_dict()
        return tensors

    def record(self) -> CheckpointState:
        """The numbers of a checkpoint."""
        return CheckpointState(
            epoch=self.epoch,
            averaged_epochs=self.averaged_epochs,
            step=self.step,
            skipped=self.skipped,
            loss_sum=float(self.loss_sum),
            best_epoch=self.best.epoch,
            best_accuracy=self.best.score,
            best_loss=self.best.loss,
            seconds=self.seconds,
            stopped=self.stopped,
        )

    def restore(
        self,
        tensors: dict[str, dict[str, Tensor]],
        record: CheckpointState,
        best: dict[str, Tensor],
    ) -> None:
        """Take over what a checkpoint holds; `best` are the weights of its best epoch."""
        self.model.load_state_dict(tensors["model"])
        restore_optimizer(self.optimizer, tensors["state"])
        if "average" in tensors:
            self.average.restore(tensors["average"])
        self.epoch, self.step, self.skipped = record.epoch, record.step, record.skipped
        self.averaged_epochs, self.loss_sum = record.averaged_epochs, record.loss_sum
        self.seconds, self.stopped = record.seconds, record.stopped
        device = next(self.model.parameters()).device
        weights = {name: tensor.to(device) for name, tensor in best.items()}
        self.best = Best(record.best_epoch, record.best_accuracy, record.best_loss, weights)


def copy_weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state as named tensors: `"{parameter number}.{name}"`."""
    flat = {}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, parameter in enumerate(parameters):
        for name, value in optimizer.state.get(parameter, {}).items():
            if value is not None:
                flat[f"{number}.{name}"] = torch.as_tensor(value)
    return flat


def restore_optimizer(optimizer: torch.optim.Optimizer, flat: dict[str, Tensor]) -> None:
    """The inverse of `flatten_optimizer`, on an optimiser over parameters of the same shapes."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for key, value in flat.items():
        number, name = key.split(".", 1)
        parameter = parameters[int(number)]
        placed = value.to(parameter.device)
        if placed.shape == parameter.shape and parameter.ndim == 4:
            # Sums run in memory order, so the layout is part of the bits.
            placed = placed.contiguous(memory_format=torch.channels_last)
        optimizer.state[parameter][name] = placed
