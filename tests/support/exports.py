"""Exported models of tiny networks, and graphs that no export writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from onnx import TensorProto, helper

from smallvision.exporting.describe import describe_served, list_entries
from smallvision.exporting.graph import build_graph, write_graph
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.source import ExportSource
from smallvision.predict import SavedModel, build_network, load_model
from smallvision.records.schema.settings.networks import NetworkSettings
from smallvision.shapes import Shape
from tests.support.models import FP32


def draw_model(settings: NetworkSettings, shape: Shape, num_classes: int = 5) -> SavedModel:
    """A network with drawn weights and norms, whose logits differ from image to image."""
    torch.manual_seed(3)
    network = build_network(settings, shape, num_classes)
    for module in network.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)
    return SavedModel(
        network=FP32.place(network).eval(),
        settings=settings,
        class_names=tuple(f"class {k}" for k in range(num_classes)),
        shape=shape,
        mean=(0.4,) * shape[0],
        std=(0.2,) * shape[0],
        epoch=1,
        temperature=0.7,
        machine=FP32,
    )


def save_source(model: SavedModel, folder: Path) -> ExportSource:
    """A model that was saved and read again, without a run."""
    model.save(folder)
    return ExportSource(load_model(folder, FP32), "tiny", None)


def write_onnx(
    source: ExportSource, path: Path, options: ExportOptions = ExportOptions(), **about: Any
) -> Path:
    """Write the graph of a model in float32, with other values in its metadata."""
    said = describe_served(source, options).change(**about)
    path.write_bytes(write_graph(build_graph(source.model, options.layout), list_entries(said)))
    return path


def write_crafted(
    path: Path, nodes: list[Any], weights: list[Any], metadata: dict[str, str]
) -> Path:
    """Write a graph from `images` to `logits` that somebody made up."""
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 8, 8, 1])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "crafted", [images], [logits], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def point_outside(location: str) -> TensorProto:
    """Weights `(64, 3)` that are said to lie in another file."""
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[64, 3])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "768")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return tensor
