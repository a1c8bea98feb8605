"""What a network makes of images before it names a class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from smallvision.augment import build_normalizer
from smallvision.predict.ensemble import list_members
from smallvision.predict.infer import infer_logits
from smallvision.predict.saved_model import SavedModel
from smallvision.shapes import Floats, Images


class Trunk(nn.Module):
    """A network without its head: what its last linear layer is given, `(N, D)`.

    Args:
        network: which ends in a linear layer.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        *_, self.head = (part for part in network.modules() if isinstance(part, nn.Linear))

    def forward(self, x: Tensor) -> Tensor:
        """From images `(N, C, H, W)` to features."""
        given: list[Tensor] = []

        def note(_head: nn.Module, inputs: tuple[Any, ...]) -> None:
            given.append(inputs[0])

        hook = self.head.register_forward_pre_hook(note)
        try:
            self.network(x)
        finally:
            hook.remove()
        return given[0].flatten(1)


def find_features(model: SavedModel, images: Images) -> Floats:
    """The features from which a model names a class, without test-time augmentation.

    Those of an ensemble are those of its members side by side, each member's scaled to a mean
    square of 1 over the images, so that none counts more than another.

    Args:
        model: a saved model.
        images: uint8 `(N, C, H, W)` of the model's shape.

    Returns: float32 `(N, D)`.

    Raises:
        RecordError: the weights are such that a feature would not be finite.
    """
    pixels = torch.from_numpy(np.array(images))
    normalize = build_normalizer(model.mean, model.std, model.machine.device)
    found = []
    for network in list_members(model.network):
        features = infer_logits(Trunk(network).eval(), pixels, normalize, model.machine)
        features = features / features.square().mean().sqrt().clamp_min(1e-12)
        model.check_finite(features)
        found.append(features)
    return torch.cat(found, dim=1).cpu().numpy()
