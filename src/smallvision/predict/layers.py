"""The layers of a network: what each makes of one image, and what it costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from smallvision.predict.ensemble import list_members
from smallvision.records.schema import LayerRecord, NetworkPart, NetworkRecord
from smallvision.shapes import Shape


def describe_network(network: nn.Module, shape: Shape) -> NetworkRecord:
    """The layers of a network; members of an ensemble that are alike stand there once.

    Args:
        network: in evaluation mode. It classifies one black image, so that the shapes are seen;
            torch's own counter of operations would import 800 modules in two seconds.
        shape: `(C, H, W)` of an image.
    """
    designs = Counter(trace_layers(member, shape) for member in list_members(network))
    parts = tuple(NetworkPart(count=count, layers=layers) for layers, count in designs.items())
    every = [(part.count, layer) for part in parts for layer in part.layers]
    return NetworkRecord(
        parts=parts,
        parameters=sum(count * layer.parameters for count, layer in every),
        multiplications=sum(count * layer.multiplications for count, layer in every),
    )


def trace_layers(network: nn.Module, shape: Shape) -> tuple[LayerRecord, ...]:
    """The layers with weights of a single network, in the order of computation."""
    found: list[LayerRecord] = []

    def note(name: str, layer: nn.Module, taken: Tensor, output: Tensor) -> None:
        found.append(
            LayerRecord(
                name=name,
                kind=name_kind(layer),
                output=tuple(output.shape[1:]),
                parameters=sum(one.numel() for one in layer.parameters()),
                multiplications=count_multiplications(layer, taken.shape[2:]),
            )
        )

    def watch(name: str, layer: nn.Module) -> Any:
        return layer.register_forward_hook(
            lambda one, taken, output: note(name, one, taken[0], output)
        )

    handles = [
        watch(name, layer)
        for name, layer in network.named_modules()
        if any(True for _ in layer.parameters(recurse=False))
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=next(network.parameters()).device))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found)


def name_kind(layer: nn.Module) -> str:
    """What a layer computes, in words."""
    if isinstance(layer, nn.Conv2d):
        return f"{'x'.join(map(str, layer.kernel_size))} convolution"
    if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
        return "batch norm"
    return "linear" if isinstance(layer, nn.Linear) else type(layer).__name__


def count_multiplications(layer: nn.Module, size: Sequence[int]) -> int:
    """Multiplications of a layer's matrix products for one image.

    Args:
        layer: of a network.
        size: height and width of its input; that of the output is another where it pools.
    """
    if isinstance(layer, nn.Linear):
        return layer.weight.numel()
    if not isinstance(layer, nn.Conv2d):
        return 0
    assert not isinstance(layer.padding, str), "no network of ours pads by a word"
    sides = zip(size, layer.padding, layer.kernel_size, layer.stride, strict=True)
    places = math.prod(
        (side + 2 * pad - kernel) // stride + 1 for side, pad, kernel, stride in sides
    )
    return places * layer.weight.numel()
