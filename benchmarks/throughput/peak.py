"""The fastest convolution of this machine, which training steps are compared with."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional as F

from benchmarks.records import Part
from benchmarks.throughput.timing import Job, Throughput, count_repeats, repeat
from smallvision.compute.machine import Machine

# Channels, pixels a side, images: layers of the networks here, and one of a wider network.
SHAPES = ((64, 32, 64), (128, 16, 128), (256, 8, 250), (640, 8, 64))


class Peak(Part):
    """How fast this machine convolves; a multiplication and an addition are two operations."""

    flop_per_second: float
    """Operations a second of the fastest layer."""
    layers: dict[str, float]
    """Operations a second of each layer."""


def list_convolutions(machine: Machine) -> dict[str, Job]:
    """Jobs of 3x3 convolutions without gradients, in the machine's precision, channels-last."""
    return {
        f"{C} channels at {side}x{side}": convolve(C, side, N, machine) for C, side, N in SHAPES
    }


def find_peak(measured: Mapping[str, Throughput]) -> Peak:
    """The peak, from the throughputs of `list_convolutions` in their order."""
    layers = {
        name: throughput.images_per_second * 2 * 9 * C * C * side * side
        for (name, throughput), (C, side, _) in zip(measured.items(), SHAPES, strict=True)
    }
    return Peak(flop_per_second=max(layers.values()), layers=layers)


def convolve(channels: int, side: int, count: int, machine: Machine) -> Job:
    """A job of convolutions of one shape, on a GPU of more images at a time."""
    if machine.device != "cpu":
        count *= 16  # fewer images leave a part of a GPU idle
    dtype = torch.bfloat16 if machine.precision == "bf16" else torch.float32
    images, weight = (
        torch.randn(*shape, device=machine.device).to(dtype, memory_format=torch.channels_last)
        for shape in ((count, channels, side, side), (channels, channels, 3, 3))
    )

    @torch.inference_mode()
    def convolve_once() -> None:
        F.conv2d(images, weight, padding=1)

    return repeat(convolve_once, count_repeats(convolve_once), count)
