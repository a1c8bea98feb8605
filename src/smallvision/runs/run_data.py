"""The images of a split on the device, and the record of the split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smallvision.compute.machine import Machine
from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.placement import place_images
from smallvision.data.split import Split, read_split, write_split
from smallvision.errors import RecordError
from smallvision.randomness import derive_seed
from smallvision.records.files import read_json
from smallvision.shapes import Images
from smallvision.stats.channels import count_levels, mean_and_std

TIMED = 20  # validation images that predictions are timed with
LATER = {"val_fingerprint", "dropped"}  # what the `split.json` of earlier versions lack


@dataclass(frozen=True, eq=False)
class RunData:
    """The images of one split on one device, with the training split's statistics.

    Attributes:
        train, val: uint8 images, on the device if they fit, and int64 labels on the device.
        mean, std: of `train` alone.
    """

    train: tuple[Tensor, Tensor]
    val: tuple[Tensor, Tensor]
    mean: list[float]
    std: list[float]

    def show_val(self) -> Images:
        """Some validation images, uint8 `(n, C, H, W)`, to time predictions with."""
        images: Images = self.val[0][:TIMED].cpu().numpy()
        return images

    def sample(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """A fixed random sample of the training images."""
        images, labels = self.train
        if len(images) <= count:
            return images, labels
        generator = torch.Generator().manual_seed(derive_seed(seed, "clean"))
        picks = torch.randperm(len(images), generator=generator)[:count].to(labels.device)
        return images[picks.to(images.device)], labels[picks]


def find_val(dataset: DataSet, split: Split) -> ImageSet:
    """The images that a split's `val` indexes: declared by the source, or carved from train."""
    return dataset.val if split.declared_val and dataset.val is not None else dataset.train


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


def split_record(dataset: DataSet, split: Split) -> dict[str, Any]:
    """The content of `split.json` for a data set."""
    val = find_val(dataset, split)
    record = {
        **split.record(dataset.train.labels, val.labels, dataset.train.num_classes),
        "test_fingerprint": dataset.test.fingerprint,
    }
    # Indices into the training images vouch for those; a set of its own is vouched for here.
    return record | ({"val_fingerprint": val.fingerprint} if split.declared_val else {})


def is_other_val(record: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two contents of `split.json` tell of unlike validation sets declared by a source.

    Records of earlier versions do not tell.
    """
    prints = [each.get("val_fingerprint") for each in (record, other)]
    return None not in prints and prints[0] != prints[1]


def check_split(folder: Path, dataset: DataSet, split: Split) -> None:
    """Write the split into a folder, or check that the one written there is the same.

    Raises:
        RecordError: it is another split or another data set, or damaged.
    """
    ours = split_record(dataset, split)
    later = {key: ours[key] for key in LATER & ours.keys()}
    if not (folder / "split.json").exists():
        write_split(folder, split, ours)
    elif {**later, **read_json(folder / "split.json")} != ours:
        raise RecordError(f"{folder} was made on other data or another split; name another folder")
    read_split(folder)
