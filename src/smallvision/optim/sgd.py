"""Stochastic gradient descent with momentum."""

from __future__ import annotations

import torch
from torch import nn

from smallvision.optim.groups import group_parameters


def sgd(
    model: nn.Module,
    *,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = True,
    weight_decay: float = 5e-4,
    decay_norms_and_biases: bool = False,
) -> torch.optim.Optimizer:
    """Build SGD over a model's parameters.

    Args:
        model: whose parameters are trained.
        lr: peak learning rate; the schedule multiplies it.
        momentum: in [0, 1).
        nesterov: use Nesterov momentum (Sutskever et al., ICML 2013).
        weight_decay: L2 coefficient, added to the gradient.
        decay_norms_and_biases: whether weight decay applies to vectors too.
    """
    groups = group_parameters(
        model, weight_decay=weight_decay, decay_norms_and_biases=decay_norms_and_biases
    )
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov and momentum > 0)
