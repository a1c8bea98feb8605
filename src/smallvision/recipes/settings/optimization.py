"""Settings of the optimisers and schedules in `optim`, and of the averages in `training`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from smallvision.cards import Card
from smallvision.records.schema.settings.base import (
    LearningRate,
    Real,
    Share,
    ShareBelowOne,
    Technique,
    Whole,
)

Cycles = Annotated[Whole, Field(ge=1, le=100)]
Epochs = Annotated[Real, Field(ge=0)]


class SgdSettings(Technique):
    """Settings of `optim.sgd`."""

    card: ClassVar = Card(
        sentence="Gradient descent with Nesterov momentum and weight decay.",
        source="Sutskever et al., ICML 2013",
        costs="one copy of the weights",
    )
    name: Literal["sgd"] = "sgd"
    lr: LearningRate = 0.1
    momentum: ShareBelowOne = 0.9
    nesterov: bool = True
    weight_decay: Share = 5e-4
    decay_norms_and_biases: bool = False


class SamSettings(Technique):
    """Settings of `optim.sam`."""

    card: ClassVar = Card(
        sentence="SGD with the gradient at the worst weights nearby, which finds flat minima.",
        source="Foret et al., arXiv 2010.01412; adaptive: Kwon et al., arXiv 2102.11600",
        costs="twice the time of every step, and one more copy of the weights",
    )
    name: Literal["sam"] = "sam"
    lr: LearningRate = 0.1
    momentum: ShareBelowOne = 0.9
    nesterov: bool = True
    weight_decay: Share = 5e-4
    rho: Real = Field(0.05, gt=0, le=100)
    adaptive: bool = False


class MuonSettings(Technique):
    """Settings of `optim.muon`."""

    card: ClassVar = Card(
        sentence="Orthogonalise the updates of convolution filters; SGD for all other parameters.",
        source="Jordan et al., 2024; airbench94_muon",
        assumes="a norm after each convolution, so that the scale of filters has no effect",
        costs="a few matrix products a step, small beside a batch of 500",
    )
    name: Literal["muon"] = "muon"
    lr: LearningRate = 0.1
    momentum: ShareBelowOne = 0.6
    matrix_lr: LearningRate = 0.02
    vector_lr: LearningRate = 0.1
    vector_momentum: Annotated[Real, Field(gt=0, lt=1)] = 0.85
    weight_decay: ShareBelowOne = 0.004


AnyOptimizer = SgdSettings | SamSettings | MuonSettings


class SgdrSettings(Technique):
    """Settings of `optim.sgdr`."""

    card: ClassVar = Card(
        sentence="Cosine annealing with warm restarts, in cycles that grow or are equal.",
        source="Loshchilov and Hutter, arXiv 1608.03983",
        costs="epochs after each restart; each cycle ends in a usable model",
    )
    name: Literal["sgdr"] = "sgdr"
    cycles: Cycles = 3
    cycle_mult: Real = Field(2.0, ge=1, le=10)
    warmup_epochs: Epochs = 0.0
    floor: Share = 0.0


class CosineSettings(Technique):
    """Settings of `optim.cosine`."""

    card: ClassVar = Card(
        sentence="One cosine from the peak to the floor.", source="arXiv 1608.03983"
    )
    name: Literal["cosine"] = "cosine"
    warmup_epochs: Epochs = 0.0
    floor: Share = 0.0


class LinearSettings(Technique):
    """Settings of `optim.linear`."""

    card: ClassVar = Card(
        sentence="Linear decay from the peak to the floor, in one cycle or several.",
        source="folklore",
    )
    name: Literal["linear"] = "linear"
    cycles: Cycles = 1
    cycle_mult: Real = Field(1.0, ge=1, le=10)
    warmup_epochs: Epochs = 0.0
    floor: Share = 0.0


class OneCycleSettings(Technique):
    """Settings of `optim.one_cycle`."""

    card: ClassVar = Card(
        sentence="Rise to a high learning rate, then fall to the floor.",
        source="Smith and Topin, arXiv 1708.07120",
    )
    name: Literal["one_cycle"] = "one_cycle"
    peak: Annotated[Real, Field(gt=0, lt=1)] = 0.3
    start: Share = 0.04
    floor: Share = 0.0


AnySchedule = SgdrSettings | CosineSettings | LinearSettings | OneCycleSettings


class NoAverageSettings(Technique):
    """Settings of `training.averaging.Average`."""

    card: ClassVar = Card(sentence="Keep the weights as training leaves them.", source="folklore")
    name: Literal["none"] = "none"


class EmaSettings(Technique):
    """Settings of `training.averaging.Ema`."""

    card: ClassVar = Card(
        sentence="Keep a moving average of the weights, which starts again with every cycle.",
        source="Polyak and Juditsky, SIAM J. Control Optim. 30 (1992)",
        costs="one copy of the weights and one pass over them a step",
    )
    name: Literal["ema"] = "ema"
    decay: ShareBelowOne = 0.999


class SwaSettings(Technique):
    """Settings of `training.averaging.Swa`."""

    card: ClassVar = Card(
        sentence="Keep the mean of the weights at the ends of the last epochs.",
        source="Izmailov et al., arXiv 1803.05407",
        assumes="a learning rate that is not yet near zero in the last epochs",
        costs="one copy of the weights; a pass over some training images an epoch",
    )
    name: Literal["swa"] = "swa"
    start: Share = 0.75


AnyAverage = NoAverageSettings | EmaSettings | SwaSettings
