"""Weights and activations in eight bits, with scales from training images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from smallvision.errors import SettingError
from smallvision.exporting.quiet import quiet
from smallvision.records.schema import Layout
from smallvision.serving.runner import order_images
from smallvision.shapes import Images

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

QUANTIZED = ("Conv", "Gemm", "MatMul")  # operators with weights
BATCH = 50  # images whose activations are measured at a time


def quantize(graph: ModelProto, images: Images, layout: Layout) -> ModelProto:
    """A graph whose layers between the first convolution and the head compute in eight bits.

    Each output channel has a scale of its own. Weights take seven bits, so that sums cannot
    overflow on processors without VNNI and the answers are the same everywhere.

    Args:
        graph: in float32; it is left as it is.
        images: some training images, uint8 `(N, C, H, W)`, on which activations are measured.
        layout: of the graph's input.

    Raises:
        SettingError: no layer is left to quantize.

    Source: Jacob et al., arXiv 1712.05877, with scales of channels after Krishnamoorthi, arXiv
        1806.08342. The first layer and the head are kept as Banner et al., arXiv 1810.05723, do:
        whitening loses most, and the two take little time.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with quiet(), TemporaryDirectory() as name:
        plain, prepared, quantized = (Path(name, f"{step}.onnx") for step in range(3))
        onnx.save(graph, plain)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        folded = onnx.load(prepared)
        kept = find_kept(folded)
        if len(kept) == len(list_layers(folded)):
            raise SettingError(
                "int8 leaves out the first convolution and the head, and this network has no other "
                "layer; leave out --int8"
            )
        quantize_static(
            prepared,
            quantized,
            CalibrationImages(images, layout),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTIZED),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept,
        )
        return onnx.load(quantized)


class CalibrationImages:
    """Images in batches, as onnxruntime asks for them.

    Args:
        images: uint8 `(N, C, H, W)`.
        layout: in which they are given.
    """

    def __init__(self, images: Images, layout: Layout) -> None:
        self._batches: Iterator[Images] = (
            order_images(images[i : i + BATCH], layout) for i in range(0, len(images), BATCH)
        )

    def get_next(self) -> dict[str, Images] | None:
        """The next batch by the name of the input; None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def list_layers(graph: ModelProto) -> list[NodeProto]:
    """The nodes that have weights, in the order in which they are computed."""
    return [node for node in graph.graph.node if node.op_type in QUANTIZED]


def find_kept(graph: ModelProto) -> list[str]:
    """The names of first convolutions and heads: no other layer comes before them, or after.

    An ensemble has one of each for every member, and for every look at a mirror image.
    """
    first, seen = set(), set()  # values that depend on a layer
    for node in graph.graph.node:
        depends = any(name in seen for name in node.input)
        if node.op_type == "Conv" and not depends:
            first.add(node.name)
        if depends or node.op_type in QUANTIZED:
            seen.update(node.output)
    heads, used = set(), set()  # values that a layer depends on
    for node in reversed(graph.graph.node):
        is_used = any(name in used for name in node.output)
        if node.op_type in QUANTIZED and not is_used:
            heads.add(node.name)
        if is_used or node.op_type in QUANTIZED:
            used.update(node.input)
    return sorted(first | heads)
