"""The input path: from stored bytes to what a network is trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from smallvision.augment import AUGMENTATIONS, Augmentation, build_normalizer
from smallvision.bench.plain import MEAN, STD, PillowImages
from smallvision.bench.record import begin_record
from smallvision.bench.timing import Job, alternate
from smallvision.data.batches import TrainBatches
from smallvision.data.imageset import ImageSet
from smallvision.data.resident import place_images
from smallvision.records.machine import Machine

BATCH = 128


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
    augmentations = {
        name: repeat(entry.apply, pixels[:BATCH], targets) for name, entry in AUGMENTATIONS.items()
    }
    chosen = [AUGMENTATIONS["flip"].apply, AUGMENTATIONS["crop"].apply]
    normalize = build_normalizer(MEAN, STD, machine.device)
    batches = TrainBatches(
        pixels, labels, images.num_classes, normalize, BATCH, lambda _step, _picks: chosen, seed=0
    )
    pillow = PillowImages(images)
    ours = "batches on the device"
    paths = {
        ours: drain(lambda: (part for batch in batches.epoch(1) for part in batch)),
        "DataLoader, Pillow": drain(lambda: iter(DataLoader(pillow, BATCH, shuffle=True))),
        f"DataLoader, Pillow, {machine.threads} workers": drain(
            lambda: iter(DataLoader(pillow, BATCH, shuffle=True, num_workers=machine.threads))
        ),
    }
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


def repeat(augment: Augmentation, images: Tensor, targets: Tensor, times: int = 10) -> Job:
    """A job that augments one batch several times."""

    def job() -> int:
        for i in range(times):
            augment(images, targets, Generator(images.device).manual_seed(i))
        return times * len(images)

    return job


def drain(start: Callable[[], Iterator[Any]]) -> Job:
    """A job that goes through all batches of an epoch."""

    def job() -> int:
        return sum(len(images) for images, _ in start())

    return job
