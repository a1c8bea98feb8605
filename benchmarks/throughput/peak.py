"""How fast this machine convolves at best: what training steps are measured against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.throughput.timing import Job, fill_turn, repeat
from smallvision.compute.machine import Machine

# Channels, pixels a side, images: layers of the networks here, and one of a wider one.
SHAPES = ((64, 32, 64), (128, 16, 128), (256, 8, 250), (640, 8, 64))


def list_convolutions(machine: Machine) -> dict[str, Job]:
    """Jobs of 3x3 convolutions forwards, in the machine's precision, channels-last."""
    return {
        f"{C} channels at {side}x{side}": convolve(C, side, N, machine) for C, side, N in SHAPES
    }


def find_peak(jobs: Iterable[str], rates: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the timed jobs of `list_convolutions` come to.

    Returns: `flop_per_second` of the fastest (a multiplication and an addition are 2), and of
        each in `layers`.
    """
    layers = {
        name: rates[name]["images_per_second"] * 2 * 9 * C * C * side * side
        for name, (C, side, _) in zip(jobs, SHAPES, strict=True)
    }
    return {"flop_per_second": max(layers.values()), "layers": layers}


def convolve(channels: int, side: int, count: int, machine: Machine) -> Job:
    """A job of some convolutions of one shape, on a GPU of more images at a time."""
    if machine.device != "cpu":
        count *= 16  # which it takes to fill a GPU
    dtype = torch.bfloat16 if machine.precision == "bf16" else torch.float32
    images, weight = (
        torch.randn(*shape, device=machine.device).to(dtype, memory_format=torch.channels_last)
        for shape in ((count, channels, side, side), (channels, channels, 3, 3))
    )

    @torch.inference_mode()
    def convolve_once() -> None:
        F.conv2d(images, weight, padding=1)

    return repeat(convolve_once, fill_turn(convolve_once), count)
