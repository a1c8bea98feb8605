"""Builders of measurements, for the tests of `benchmarks`."""

from __future__ import annotations

from benchmarks.records import Head, Host
from benchmarks.throughput.pipeline import OURS, PipelineRecord
from benchmarks.throughput.timing import Throughput
from smallvision.compute.machine import Machine
from smallvision.records.schema.run import ComputeSettings

CPU = Machine(device="cpu", precision="fp32", compiled=False, threads=1)


def make_head(
    processor: str = "Xeon",
    instructions: str | None = "AVX512",
    generation: str | None = "family 6, model 207",
) -> Head:
    """When, where and how something was measured."""
    return {
        "created": "2026-11-28T01:32:15+00:00",
        "command": "python -m benchmarks",
        "machine": ComputeSettings(device="cpu", precision="fp32", compiled=False, threads=2),
        "environment": Host(
            python="3.11.7",
            platform="Linux",
            processor=processor,
            instructions=instructions,
            generation=generation,
            memory_bytes=None,
            gpu=None,
            versions={"torch": "2.13.0"},
            git=None,
        ),
    }


def make_pipeline(head: Head, ratio: float) -> PipelineRecord:
    """A measurement of an input path that is so many times as fast as a DataLoader."""
    speeds = {OURS: 100 * ratio, "DataLoader": 100.0}
    paths = {
        name: Throughput(images_per_second=speed, rounds=(speed,)) for name, speed in speeds.items()
    }
    return PipelineRecord(**head, batch_size=128, images=256, augmentations={}, paths=paths)
