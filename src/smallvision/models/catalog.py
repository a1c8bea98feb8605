"""Every model by name, with its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from smallvision.cards import Card
from smallvision.models.mlp import mlp
from smallvision.models.vgg import vgg10
from smallvision.models.wide_resnet import wide_resnet


@dataclass(frozen=True)
class ModelEntry:
    """A builder `(shape, num_classes, **settings) -> module` and its card."""

    build: Callable[..., nn.Module]
    card: Card


MODELS: dict[str, ModelEntry] = {
    "mlp": ModelEntry(
        mlp,
        Card(
            sentence="A fully connected network on flattened pixels.",
            source="folklore",
            assumes="nothing, not even that neighbouring pixels belong together",
            costs="parameters grow with the number of pixels",
        ),
    ),
    "vgg10": ModelEntry(
        vgg10,
        Card(
            sentence="Ten plain convolutions with batch norm, pooled in three steps.",
            source="Simonyan and Zisserman, arXiv 1409.1556; Ioffe and Szegedy, arXiv 1502.03167",
            assumes="patterns mean the same wherever they are",
            costs="2 million parameters at width 32",
        ),
    ),
    "wide_resnet": ModelEntry(
        wide_resnet,
        Card(
            sentence="Residual blocks with few, wide layers.",
            source="Zagoruyko and Komodakis, arXiv 1605.07146",
            assumes="patterns mean the same wherever they are",
            costs="time and parameters grow with the square of the width",
        ),
    ),
}
