"""The input path: from stored bytes to what a network is trained on."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from benchmarks.records import begin_record
from benchmarks.throughput.baseline import MEAN, STD, PillowImages, draw_batches
from benchmarks.throughput.timing import Job, alternate, fill_turn, repeat
from smallvision.augment import AUGMENTATIONS, build_normalizer
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches
from smallvision.data.imageset import ImageSet
from smallvision.data.placement import place_images

BATCH = 128
WARM_UP = 16  # batches


def bench_pipeline(
    images: ImageSet,
    machine: Machine,
    *,
    rounds: int = 5,
    command: str = "smallvision.bench.bench_pipeline()",
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Any]:
    """Time each augmentation, the whole input path, and a DataLoader with Pillow beside it.

    Args:
        images: RGB; 2,000 are enough.
        machine: how to compute.
        rounds: turns of each.
        command: for the record.
        say: told how it goes.

    Returns: a record; `augmentations` and `paths` by name, `ratio` of our path to the faster of
        the two loaders.
    """
    torch.set_num_threads(machine.threads)
    pixels, labels = place_images([(images, np.arange(len(images)))], machine.device)
    targets = F.one_hot(labels[:BATCH], images.num_classes).float()
    augmentations = {}
    for name, entry in AUGMENTATIONS.items():

        def augment(apply: Any = entry.apply) -> None:
            apply(pixels[:BATCH], targets, Generator(pixels.device).manual_seed(0))

        augmentations[name] = repeat(augment, fill_turn(augment), BATCH)
    chosen = [AUGMENTATIONS["flip"].apply, AUGMENTATIONS["crop"].apply]
    normalize = build_normalizer(MEAN, STD, machine.device)
    batches = TrainBatches(
        pixels, labels, images.num_classes, normalize, BATCH, lambda _step, _picks: chosen, seed=0
    )
    ours = "batches on the device"
    paths = {
        ours: go_through(
            part for n in itertools.count(1) for batch in batches.epoch(n) for part in batch
        )
    }
    pillow = PillowImages(images)
    for workers, name in ((0, ""), (machine.threads, f", {machine.threads} workers")):
        loader = draw_batches(pillow, BATCH, workers, machine)
        paths[f"DataLoader, Pillow{name}"] = go_through(loader)
    rates = alternate(paths, rounds=rounds, say=say)
    others = [rate["images_per_second"] for name, rate in rates.items() if name != ours]
    return {
        **begin_record("pipeline", command, replace(machine, compiled=False)),
        "batch_size": BATCH,
        "images": len(images),
        "augmentations": alternate(augmentations, rounds=rounds, say=say),
        "paths": rates,
        "ratio": rates[ours]["images_per_second"] / max(others),
    }


def go_through(batches: Iterator[tuple[Tensor, Tensor]]) -> Job:
    """A job of as many batches, of those that never end, as fill a turn."""

    def take() -> int:
        return len(next(batches)[0])

    for _ in range(WARM_UP):  # workers start, and prepare their first batches
        take()
    times = WARM_UP * fill_turn(lambda: [take() for _ in range(WARM_UP)])
    return lambda: sum(take() for _ in range(times))
