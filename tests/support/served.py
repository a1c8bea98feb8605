"""An exported model whose answers are known by hand, and pictures for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from smallvision.records import store
from smallvision.records.schema.models.exported import ServedModel
from smallvision.records.schema.models.saved import TtaRecord, UnlikeRecord
from smallvision.shapes import Shape
from tests.support.sources import encode_picture

FINGERPRINT = f"sha256:{'5' * 64}"


def describe_served(
    class_names: Sequence[str], shape: Shape, *, limit: float | None = None, licence: str = "MIT"
) -> ServedModel:
    return ServedModel(
        name="rows",
        class_names=tuple(class_names),
        shape=shape,
        layout="nhwc",
        weights="fp32",
        members=1,
        temperature=1.0,
        tta=TtaRecord(),
        uncertain=0.0,
        fit="crop",
        bits=16,
        unlike=None if limit is None else UnlikeRecord(limit=limit, n=100),
        sets=None,
        fingerprint=FINGERPRINT,
        licence=licence,
    )


def write_served(path: Path, about: ServedModel) -> Path:
    """A model for which the brightest of K stripes, from top to bottom, is the class."""
    C, H, W = about.shape
    K = len(about.class_names)
    weights = np.zeros((H, W, C, K), np.float32)
    for k in range(K):
        weights[k * H // K : max(k * H // K + 1, (k + 1) * H // K), :, :, k] = 10 * K / (H * W * C)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["pixels", "scale"], ["scaled"]),
            helper.make_node("Flatten", ["scaled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["pooled"]),
            helper.make_node("Softmax", ["pooled"], ["probabilities"]),
            helper.make_node("Unsqueeze", ["pooled", "first"], ["logits"]),
        ],
        "stripes",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", H, W, C])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", K]),
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "N", K]),
        ],
        [
            numpy_helper.from_array(np.float32(1 / 255), "scale"),
            numpy_helper.from_array(weights.reshape(-1, K), "weights"),
            numpy_helper.from_array(np.array([0]), "first"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {"smallvision": store.dump_line(about.model_dump(mode="json"))})
    onnx.save(model, path)
    return path


def make_picture(seed: int, kind: str = "PNG") -> bytes:
    """A picture file of coloured noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return encode_picture(pixels, kind)


def make_stripe(k: int, K: int) -> bytes:
    """A PNG that models of `write_served` take for class k of K."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[k * 48 // K : (k + 1) * 48 // K] = (250, 240, 230)
    return encode_picture(pixels)
