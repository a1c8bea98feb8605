"""Saved models with fresh weights."""

from __future__ import annotations

from typing import Any

import torch

from smallvision.compute.machine import Machine
from smallvision.predict import SavedModel, build_network

FP32 = Machine(device="cpu", precision="fp32", compiled=False, threads=1)
NORMED = {"name": "mlp", "hidden": [8], "dropout": 0.5}
CONVOLUTIONAL = {"name": "wide_resnet", "depth": 10, "width": 1}


def make_model(seed: int, settings: dict[str, Any]) -> SavedModel:
    """A model of 8x8 grey images in three classes, its weights drawn from a seed."""
    torch.manual_seed(seed)
    network = build_network(settings, (1, 8, 8), 3)
    return SavedModel(
        network=FP32.place(network).eval(),
        settings=settings,
        class_names=("a", "b", "c"),
        shape=(1, 8, 8),
        mean=(0.3,),
        std=(0.2,),
        epoch=seed,
        machine=FP32,
    )
