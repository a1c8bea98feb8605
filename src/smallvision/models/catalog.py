"""Every model by name; `records.schema.settings` has its settings and its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from smallvision.models.linear_classifier import linear_classifier
from smallvision.models.mlp import mlp
from smallvision.models.speednet import speednet, whiten
from smallvision.models.vgg import vgg10
from smallvision.models.wide_resnet import wide_resnet


@dataclass(frozen=True)
class ModelEntry:
    """A builder of networks.

    Attributes:
        build: `(shape, num_classes, **settings) -> module`.
        prepare: what a fresh network measures on normalised training images, float
            `(N, C, H, W)`, before it is trained; None for nothing.
        any_size: whether a network takes images of other sizes than it was built for, such as
            crops of them.
    """

    build: Callable[..., nn.Module]
    prepare: Callable[[nn.Module, Tensor], None] | None = None
    any_size: bool = True


MODELS: dict[str, ModelEntry] = {
    "linear": ModelEntry(linear_classifier, any_size=False),
    "mlp": ModelEntry(mlp, any_size=False),
    "vgg10": ModelEntry(vgg10),
    "wide_resnet": ModelEntry(wide_resnet),
    "speednet": ModelEntry(speednet, prepare=whiten),
}
