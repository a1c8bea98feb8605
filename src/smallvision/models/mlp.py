"""A fully connected network: the baseline that ignores the positions of pixels."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def mlp(
    shape: tuple[int, int, int],
    num_classes: int,
    *,
    hidden: Sequence[int] = (512, 256),
    dropout: float = 0.0,
) -> nn.Module:
    """Build a multi-layer perceptron on flattened pixels.

    Args:
        shape: `(C, H, W)` of an image.
        num_classes: K.
        hidden: units in each hidden layer.
        dropout: share of hidden units dropped in training, in [0, 1).

    Returns: a module from `(N, C, H, W)` to logits `(N, K)`.
    """
    C, H, W = shape
    layers: list[nn.Module] = [nn.Flatten()]
    width = C * H * W
    for units in hidden:
        layers += [nn.Linear(width, units, bias=False), nn.BatchNorm1d(units), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        width = units
    layers.append(nn.Linear(width, num_classes))
    return nn.Sequential(*layers)
