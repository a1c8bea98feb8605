"""A model as an ONNX graph: one file, with nothing in it of the machine that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from smallvision.errors import SettingError
from smallvision.exporting.program import trace
from smallvision.exporting.quiet import quiet
from smallvision.format import format_size
from smallvision.predict import SavedModel
from smallvision.records.schema import Layout

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 20
MOST_BYTES = 2_000_000_000  # of weights; what protobuf writes is smaller than 2 GiB
BATCH = "N"  # name of the first dimension


def build_graph(model: SavedModel, layout: Layout) -> ModelProto:
    """The ONNX graph of a model, in float32, for batches of any size.

    Raises:
        SettingError: its weights are too large for one file.
    """
    size = sum(tensor.nbytes for tensor in model.network.state_dict().values())
    if size > MOST_BYTES:
        raise SettingError(
            f"{model} has weights of {format_size(size)}, and an ONNX file holds "
            f"{format_size(MOST_BYTES)}; export it with --to torch"
        )
    program = trace(model, layout)
    with quiet():
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=["images"],
            output_names=["probabilities", "logits"],
            opset_version=OPSET,
            verbose=False,
        )
    assert exported is not None  # as it is with `dynamo`
    graph: ModelProto = exported.model_proto
    strip(graph)
    return graph


def strip(graph: ModelProto) -> None:
    """Remove what the exporter notes beside the graph, and name the batch's dimension.

    Its notes say which of our classes a node is from, and are as long as the graph itself.
    """
    inner = graph.graph
    del inner.value_info[:]  # shapes in between, which every reader infers
    parts: list[Any] = [graph, inner, *inner.node, *inner.initializer, *inner.input, *inner.output]
    for part in parts:
        del part.metadata_props[:]
        part.doc_string = ""
    for value in (*inner.input, *inner.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_param = BATCH


def store_in_half(graph: ModelProto) -> None:
    """Keep filters and matrices in half precision, from which a reader makes float32 again.

    Vectors stay as they are: they take no room, and variances can be too small for half precision.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name = tensor.name
        with np.errstate(over="ignore"):  # what becomes infinite is found when it answers
            half = numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def write_graph(graph: ModelProto, about: Mapping[str, str]) -> bytes:
    """The content of an ONNX file.

    Args:
        graph: of the model.
        about: entries of its metadata.
    """
    from onnx import helper

    helper.set_model_props(graph, dict(about))
    content: bytes = graph.SerializeToString()
    return content
