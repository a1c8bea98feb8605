"""The usual way: images one by one from Pillow through a DataLoader, in a plain training loop."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler

from benchmarks.throughput.timing import Job, count_repeats
from smallvision.compute.machine import Machine
from smallvision.data.imageset import ImageSet
from smallvision.recipes import Recipe
from smallvision.recipes.builders import build_model, build_optimizer

PADDING = 4
MAX_WORKERS = 8  # of a DataLoader; more start slowly, and their batches pile up
EPOCH = 400  # batches, about as many as CIFAR-10 has of 128
MEAN, STD = [0.5] * 3, [0.25] * 3  # the time does not depend on the values


class PillowImages(Dataset[tuple[Tensor, int]]):
    """Flip, pad by reflection, crop and normalise one image at a time."""

    def __init__(self, images: ImageSet) -> None:
        self.images = [Image.fromarray(pixels.transpose(1, 2, 0)) for pixels in images.images]
        self.labels = images.labels.tolist()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = self.images[i]
        coin, top, left = torch.randint(0, 2 * PADDING + 1, (3,)).tolist()
        if coin > PADDING:
            image = ImageOps.mirror(image)
        pixels = np.pad(np.asarray(image), ((PADDING,) * 2, (PADDING,) * 2, (0, 0)), "reflect")
        H, W = image.height, image.width
        crop = torch.from_numpy(pixels[top : top + H, left : left + W].copy())
        tensor = crop.permute(2, 0, 1).float().div_(255)
        return tensor.sub_(MEAN[0]).div_(STD[0]), self.labels[i]


def draw_batches(
    source: PillowImages, batch_size: int, workers: int, machine: Machine
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of a DataLoader without end, in epochs of the usual length.

    Args:
        source: drawn from with replacement, so a few images are enough.
        batch_size: number of images.
        workers: processes that prepare the next batches.
        machine: where the batches will go; on CUDA they lie in pinned memory.
    """
    loader = DataLoader(
        source,
        batch_size,
        sampler=RandomSampler(source, replacement=True, num_samples=EPOCH * batch_size),
        num_workers=workers,
        pin_memory=machine.device == "cuda",
        drop_last=True,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


class PlainLoop:
    """The network, optimiser, batch and precision of a recipe in a loop over a DataLoader.

    It differs from the package in these ways. Images come one at a time from Pillow, and are
    flipped and cropped whatever the recipe's augmentations. Up to eight workers, one per thread,
    prepare the next batches during a step. The memory layout is torch's default, there are no
    micro-batches, and nothing is compiled.

    Args:
        recipe: gives the network, the optimiser and the batch size.
        images: the loader draws from them with replacement, so a few are enough.
        machine: how to compute.
    """

    def __init__(self, recipe: Recipe, images: ImageSet, machine: Machine) -> None:
        self.recipe, self.machine = recipe, machine
        self.workers = min(machine.threads, MAX_WORKERS)
        self.model = build_model(recipe, images.shape, images.num_classes).to(machine.device)
        self.model.train()
        self.optimizer = build_optimizer(recipe, self.model)
        self.batches = draw_batches(PillowImages(images), recipe.batch_size, self.workers, machine)
        self.take_steps(3)  # the workers start
        # Batches that the workers prepared between two turns must be a small part of a turn.
        self.steps = max(count_repeats(lambda: self.take_steps(1)), 6 * self.workers)

    def take_steps(self, steps: int) -> int:
        """Take some steps; returns how many images they used."""
        count = 0
        for images, labels in itertools.islice(self.batches, steps):
            self.take_step(
                images.to(self.machine.device, non_blocking=True),
                labels.to(self.machine.device, non_blocking=True),
            )
            count += len(labels)
        return count

    def take_step(self, images: Tensor, labels: Tensor) -> None:
        """One update."""

        def compute_loss() -> Tensor:
            self.optimizer.zero_grad()
            with self.machine.autocast():
                logits = self.model(images)
            loss = F.cross_entropy(
                logits.float(), labels, label_smoothing=self.recipe.label_smoothing
            )
            torch.autograd.backward(loss)
            return loss

        self.optimizer.step(compute_loss)  # type: ignore[arg-type]  # torch declares a float

    def job(self) -> Job:
        """A job of some steps."""
        return lambda: self.take_steps(self.steps)
