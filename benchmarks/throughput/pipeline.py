"""Measure the input path: from stored bytes to normalised batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
import typer
from pydantic import computed_field
from torch import Generator, Tensor
from torch.nn import functional as F

from benchmarks.options import OUT, Out, Rounds
from benchmarks.records import Measurement, describe_here, save
from benchmarks.tables import Table
from benchmarks.throughput.baseline import MEAN, STD, PillowImages, draw_batches
from benchmarks.throughput.timing import Job, Throughput, count_repeats, measure_in_turns, repeat
from smallvision.augment import AUGMENTATIONS, build_normalizer
from smallvision.cli.options import Data, DataDir
from smallvision.compute.machine import Machine, choose_machine
from smallvision.data.batches import TrainBatches
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.load import as_dataset
from smallvision.data.placement import gather, place_images
from smallvision.errors import DataError
from smallvision.records.files import make_folder

BATCH = 128
WARM_UP = 16  # batches
OURS = "batches on the device"


class PipelineRecord(Measurement):
    """`pipeline.json`: the input path of the package beside a DataLoader."""

    title: ClassVar[str] = "Input path"

    kind: Literal["pipeline"] = "pipeline"
    batch_size: int
    """Images of a batch."""
    images: int
    """Images that batches were drawn from."""
    augmentations: dict[str, Throughput]
    """Each augmentation alone."""
    paths: dict[str, Throughput]
    """Gather, flip, crop and normalise: on whole batches, and image by image in a DataLoader."""

    @computed_field
    @property
    def ratio(self) -> float:
        """Speed of the package divided by that of the faster DataLoader."""
        speeds = {name: path.images_per_second for name, path in self.paths.items()}
        ours = speeds.pop(OURS)
        return ours / max(speeds.values())

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in words."""
        return (f"The input path is {self.ratio:.1f} times as fast as the faster DataLoader.",)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The result in figures."""
        paths = {name: path.images_per_second for name, path in self.paths.items()}
        alone = {name: entry.images_per_second for name, entry in self.augmentations.items()}
        return (
            Table(
                ("gather, flip, crop, normalise", "images/s"),
                [(name, f"{speed:,.0f}") for name, speed in paths.items()],
                [*paths.values()],
            ),
            Table(
                ("augmentation", "images/s", f"ms a batch of {self.batch_size}"),
                [
                    (name, f"{speed:,.0f}", f"{self.batch_size / speed * 1000:.2f}")
                    for name, speed in alone.items()
                ],
                [*alone.values()],
            ),
        )


def pipeline(
    data: Data = "cifar10",
    images: Annotated[int, typer.Option(min=1, help="Number of images to draw from.")] = 2_000,
    rounds: Rounds = 5,
    data_dir: DataDir = None,
    out: Out = OUT,
) -> None:
    """Measure images a second of the augmentations and the input path, beside a DataLoader."""
    dataset = as_dataset(data, data_dir)
    if dataset.train.shape[0] != 3:
        raise DataError(f"'{dataset.name}' is grey; the DataLoader beside it expects RGB images")
    make_folder(out)  # an unwritable place is found before minutes of measuring
    taken = dataset.train.take(np.arange(min(images, len(dataset.train))))
    save(measure_pipeline(taken, choose_machine(), rounds), out)


def measure_pipeline(images: ImageSet, machine: Machine, rounds: int) -> PipelineRecord:
    """Time each augmentation, the whole input path, and a DataLoader with Pillow.

    Args:
        images: RGB; 2,000 are enough.
        machine: how to compute.
        rounds: turns of each.
    """
    torch.set_num_threads(machine.threads)
    pixels, labels = place_images([(images, np.arange(len(images)))], machine.device)
    some = gather(pixels, slice(BATCH), machine.device)
    targets = F.one_hot(labels[:BATCH], images.num_classes).float()
    augmentations = {}
    for name, entry in AUGMENTATIONS.items():

        def augment(apply: Any = entry.apply) -> None:
            apply(some, targets, Generator(labels.device).manual_seed(0))

        augmentations[name] = repeat(augment, count_repeats(augment), BATCH)
    chosen = [AUGMENTATIONS["flip"].apply, AUGMENTATIONS["crop"].apply]
    normalize = build_normalizer(MEAN, STD, machine.device)
    batches = TrainBatches(
        pixels, labels, images.num_classes, normalize, BATCH, lambda _step, _picks: chosen, seed=0
    )
    paths = {
        OURS: consume(
            part for n in itertools.count(1) for batch in batches.epoch(n) for part in batch
        )
    }
    pillow = PillowImages(images)
    for workers, name in ((0, ""), (machine.threads, f", {machine.threads} workers")):
        loader = draw_batches(pillow, BATCH, workers, machine)
        paths[f"DataLoader, Pillow{name}"] = consume(loader)
    return PipelineRecord(
        **describe_here(machine.change(compiled=False)),
        batch_size=BATCH,
        images=len(images),
        paths=measure_in_turns(paths, rounds),
        augmentations=measure_in_turns(augmentations, rounds),
    )


def consume(batches: Iterator[tuple[Tensor, Tensor]]) -> Job:
    """A job that takes as many of endless batches as fill a turn."""

    def take() -> int:
        return len(next(batches)[0])

    for _ in range(WARM_UP):  # workers start, and prepare their first batches
        take()
    times = WARM_UP * count_repeats(lambda: [take() for _ in range(WARM_UP)])
    return lambda: sum(take() for _ in range(times))
