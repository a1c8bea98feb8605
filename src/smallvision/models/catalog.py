"""Every model by name, with its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from smallvision.cards import Card
from smallvision.models.mlp import mlp
from smallvision.models.speednet import speednet, whiten
from smallvision.models.vgg import vgg10
from smallvision.models.wide_resnet import wide_resnet


@dataclass(frozen=True)
class ModelEntry:
    """A builder `(shape, num_classes, **settings) -> module` and its card.

    Attributes:
        build: the builder.
        card: for people who choose.
        prepare: what a fresh network takes from normalised training images, float
            `(N, C, H, W)`, before it is trained; None for nothing.
        any_size: whether a network takes images of other sizes than it was built for, such as
            windows of them.
    """

    build: Callable[..., nn.Module]
    card: Card
    prepare: Callable[[nn.Module, Tensor], None] | None = None
    any_size: bool = True


MODELS: dict[str, ModelEntry] = {
    "mlp": ModelEntry(
        mlp,
        Card(
            sentence="A fully connected network on flattened pixels.",
            source="folklore",
            assumes="nothing, not even that neighbouring pixels belong together",
            costs="parameters grow with the number of pixels",
        ),
        any_size=False,
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
    "speednet": ModelEntry(
        speednet,
        Card(
            sentence="A few plain convolutions on whitened pixels, made to be trained in minutes.",
            source="Jordan, arXiv 2404.00498; Page, cifar10-fast; Balsam, hlb-CIFAR10",
            assumes="patterns mean the same wherever they are; wants the optimiser `muon`",
            costs="2 million parameters",
        ),
        prepare=whiten,
    ),
}
