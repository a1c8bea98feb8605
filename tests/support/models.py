"""Saved models with fresh weights, and networks whose answers are known by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from smallvision.compute.machine import Machine
from smallvision.predict import SavedModel, build_network
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.schema import Manifest
from smallvision.records.schema.settings.networks import (
    MlpSettings,
    NetworkSettings,
    WideResNetSettings,
)
from tests.support.records import edit_json

FP32 = Machine(device="cpu", precision="fp32", compiled=False, threads=1)
NORMED = MlpSettings(hidden=(8,), dropout=0.5)
CONVOLUTIONAL = WideResNetSettings(depth=10, width=1)
# Of every network of the catalogue, settings that make it small.
SMALL: dict[str, dict[str, Any]] = {
    "linear": {},
    "mlp": {"hidden": (16,)},
    "vgg10": {"width": 4},
    "wide_resnet": {"depth": 10, "width": 1},
    "speednet": {"widths": (8, 16)},
}


def make_model(seed: int, settings: NetworkSettings) -> SavedModel:
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


def wrap_network(
    network: nn.Module, shape: tuple[int, int, int] = (1, 8, 8), num_classes: int = 2
) -> SavedModel:
    """A model of any network, which sees pixels as fractions of full brightness."""
    return SavedModel(
        network=network.eval(),
        settings=MlpSettings(),
        class_names=tuple(map(str, range(num_classes))),
        shape=shape,
        mean=(0.0,) * shape[0],
        std=(1.0,) * shape[0],
        epoch=1,
        machine=FP32,
    )


def brightness_network(*weights: float) -> nn.Module:
    """One feature, the pixel itself, pooled; its weight for each class."""
    convolution, head = nn.Conv2d(1, 1, 1, bias=False), nn.Linear(1, len(weights), bias=False)
    nn.init.ones_(convolution.weight)
    head.weight.data = torch.tensor(weights)[:, None]
    return nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def edit_model(folder: Path, **changes: Any) -> None:
    """Change fields of a saved model's record, and the manifest with it: a crafted model."""
    edit_json(folder / "model.json", **changes)
    files = store.read(folder / "manifest.json", Manifest).files
    changed = files | {"model.json": hash_file(folder / "model.json")}
    store.write(folder / "manifest.json", Manifest(files=changed))
