"""What the members of a saved ensemble say one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smallvision.predict.ensemble import list_members
from smallvision.predict.saved_model import SavedModel
from smallvision.shapes import Floats, Images


def predict_members(model: SavedModel, images: Images) -> Floats:
    """What each member says on its own, probabilities float32 `(M, N, K)`.

    The temperature is that of the whole model, which moves no member's vote.
    """
    networks = list_members(model.network)
    return np.stack([replace(model, network=network).predict(images) for network in networks])
