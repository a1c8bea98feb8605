"""Every optimiser and schedule by name, with its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from smallvision.cards import Card
from smallvision.optim.muon import muon
from smallvision.optim.sam import sam
from smallvision.optim.schedule import Schedule, cosine, linear, one_cycle, sgdr
from smallvision.optim.sgd import sgd


@dataclass(frozen=True)
class ScheduleEntry:
    """A builder `(epochs, steps_per_epoch, **settings) -> Schedule` and its card."""

    build: Callable[..., Schedule]
    card: Card


@dataclass(frozen=True)
class OptimizerEntry:
    """A builder `(model, **settings) -> Optimizer` and its card."""

    build: Callable[..., torch.optim.Optimizer]
    card: Card


SCHEDULES: dict[str, ScheduleEntry] = {
    "sgdr": ScheduleEntry(
        sgdr,
        Card(
            sentence="Anneal along a cosine, restart warm, repeat in growing or equal cycles.",
            source="Loshchilov and Hutter, arXiv 1608.03983",
            costs="epochs spent climbing out of each minimum; each cycle ends in a usable model",
        ),
    ),
    "cosine": ScheduleEntry(
        cosine,
        Card(sentence="One cosine from the peak to the floor.", source="arXiv 1608.03983"),
    ),
    "linear": ScheduleEntry(
        linear,
        Card(
            sentence="A straight line from the peak to the floor, repeated if asked.",
            source="folklore",
        ),
    ),
    "one_cycle": ScheduleEntry(
        one_cycle,
        Card(
            sentence="Rise to a high rate, then fall to the floor.",
            source="Smith and Topin, arXiv 1708.07120",
        ),
    ),
}

OPTIMIZERS: dict[str, OptimizerEntry] = {
    "sgd": OptimizerEntry(
        sgd,
        Card(
            sentence="Gradient descent with Nesterov momentum and weight decay.",
            source="Sutskever et al., ICML 2013",
            costs="one copy of the weights",
        ),
    ),
    "sam": OptimizerEntry(
        sam,
        Card(
            sentence="SGD by the gradient at the worst point nearby, which seeks flat minima.",
            source="Foret et al., arXiv 2010.01412; adaptive: Kwon et al., arXiv 2102.11600",
            costs="twice the time of every step, and one more copy of the weights",
        ),
    ),
    "muon": OptimizerEntry(
        muon,
        Card(
            sentence="Step along all directions of a filter bank alike; SGD for all but filters.",
            source="Jordan et al., 2024; airbench94_muon",
            assumes="filters that a norm follows, so that their length means nothing",
            costs="a few matrix products a step, small beside a batch of 500",
        ),
    ),
}
