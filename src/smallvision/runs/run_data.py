"""The images of a split on the device, their batches, and the record of the split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from smallvision.augment import Augmentation, build_normalizer
from smallvision.compute.machine import Machine
from smallvision.data.batches import TrainBatches, weigh_classes
from smallvision.data.channels import count_levels, mean_and_std
from smallvision.data.dataset import DataSet
from smallvision.data.placement import PlacedImages, fetch_rows, gather, place_images
from smallvision.data.split import (
    Split,
    describe_split,
    find_val,
    read_split,
    read_split_record,
    write_split,
)
from smallvision.data.storage.stored_images import ImageRows, StoredImages
from smallvision.errors import RecordError
from smallvision.randomness import derive_seed
from smallvision.recipes import Recipe
from smallvision.recipes.builders import build_schedule, count_epoch_steps, schedule_augmentations
from smallvision.records.layout import SPLIT
from smallvision.records.nofollow import exists
from smallvision.shapes import Images, Labels

TIMED = 20  # validation images that predictions are timed with


@dataclass(frozen=True, eq=False)
class RunData:
    """The images of one split on one device, with the training split's statistics.

    Attributes:
        train, val: uint8 images, on the device or in memory if they fit, else in a file; and int64
            labels on the device.
        mean, std: of `train` alone.
    """

    train: tuple[PlacedImages, Tensor]
    val: tuple[PlacedImages, Tensor]
    mean: list[float]
    std: list[float]

    def show_val(self) -> Images:
        """Some validation images, uint8 `(n, C, H, W)`, to time predictions with."""
        return gather(self.val[0], slice(TIMED), "cpu").numpy()

    def list_val(self) -> tuple[ImageRows, Labels]:
        """The validation images and their labels as arrays."""
        images, labels = self.val
        return fetch_rows(images), labels.cpu().numpy()

    def sample(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """A fixed random sample of the training images."""
        images, labels = self.train
        place = labels.device if isinstance(images, StoredImages) else images.device
        if len(images) <= count:
            return gather(images, slice(None), place), labels
        generator = torch.Generator().manual_seed(derive_seed(seed, "clean"))
        picks = torch.randperm(len(images), generator=generator)[:count].to(labels.device)
        return gather(images, picks, place), labels[picks]


def load_run_data(
    dataset: DataSet, split: Split, machine: Machine, *, with_val: bool = False
) -> RunData:
    """Bring a split to the device and measure its training images.

    Args:
        dataset, split: which images.
        machine: where they go.
        with_val: whether the validation images are among the training images too.
    """
    images = find_val(dataset, split)
    val = [(images, split.val)]
    train = [(dataset.train, split.train), *(val if with_val else ())]
    counts = [count_levels(part.images, indices) for part, indices in train]
    mean, std = mean_and_std(np.sum(counts, axis=0))
    return RunData(
        train=place_images(train, machine.device),
        val=place_images(val, machine.device),
        mean=mean,
        std=std,
    )


def check_split(folder: Path, dataset: DataSet, split: Split) -> None:
    """Write the split into a folder, or check that the one written there is the same.

    Raises:
        RecordError: it is another split or another data set, or damaged.
    """
    if not exists(folder / SPLIT):
        write_split(folder, dataset, split)
    elif read_split_record(folder) != describe_split(dataset, split):
        raise RecordError(f"{folder} was made on other data or another split; name another folder")
    read_split(folder)


def build_batches(
    recipe: Recipe,
    dataset: DataSet,
    data: RunData,
    machine: Machine,
    batch_size: int,
    micro_batch: int,
    teacher: Augmentation | None = None,
) -> TrainBatches:
    """The training images in batches, augmented as a recipe says.

    Args:
        recipe: says how.
        dataset, data: whose images, and where they are.
        machine: where they are.
        batch_size, micro_batch: images of a batch, and of its parts.
        teacher: what is learnt from besides the labels, if anything.
    """
    steps = count_epoch_steps(recipe, len(data.train[1]))
    weights = None
    if recipe.class_weights == "balanced":
        weights = weigh_classes(data.train[1], dataset.train.num_classes)
    return TrainBatches(
        *data.train,
        num_classes=dataset.train.num_classes,
        normalize=build_normalizer(data.mean, data.std, machine.device),
        batch_size=batch_size,
        augmentations=schedule_augmentations(
            recipe, build_schedule(recipe, steps).cycle_ends, steps, teacher
        ),
        seed=recipe.seed,
        passes=recipe.passes,
        micro_batch=micro_batch,
        class_weights=weights,
        is_balanced=recipe.sampling == "balanced",
    )
