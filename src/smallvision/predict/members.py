"""The networks inside a saved model: one, or the members of an ensemble."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from torch import nn

from smallvision.predict.saved_model import SavedModel
from smallvision.shapes import Floats, Images


def list_members(network: nn.Module) -> list[nn.Module]:
    """The members of an ensemble's network, or a single network alone."""
    members = getattr(network, "members", None)
    return list(members) if isinstance(members, nn.ModuleList) else [network]


def predict_members(model: SavedModel, images: Images) -> Floats:
    """What each member says on its own, probabilities float32 `(M, N, K)`.

    The temperature is that of the whole model, which moves no member's vote.
    """
    networks = list_members(model.network)
    return np.stack([replace(model, network=network).predict(images) for network in networks])
