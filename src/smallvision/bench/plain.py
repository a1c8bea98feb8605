"""What we measure ourselves against: images and steps as most code has them."""

from __future__ import annotations

import time

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from smallvision.bench.timing import TURN_SECONDS, Job, settle
from smallvision.data.imageset import ImageSet
from smallvision.recipes import Recipe
from smallvision.recipes.build import build_model, build_optimizer
from smallvision.records.machine import Machine

PADDING = 4
MEAN, STD = [0.5] * 3, [0.25] * 3  # any will do: what is timed does not look at them


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


class PlainLoop:
    """The network, optimiser, batch and precision of a recipe in a loop over a DataLoader.

    What differs from ours: images come one at a time from Pillow through as many workers as there
    are threads, the memory layout is torch's default, batches are whole, nothing is compiled.

    Args:
        recipe: of the network, the optimiser and the batch.
        images: at least as many as a batch.
        machine: how to compute.
    """

    def __init__(self, recipe: Recipe, images: ImageSet, machine: Machine) -> None:
        self.recipe, self.machine = recipe, machine
        self.model = build_model(recipe, images.shape, images.num_classes).to(machine.device)
        self.model.train()
        self.optimizer = build_optimizer(recipe, self.model)
        self.loader = DataLoader(
            PillowImages(images),
            recipe.batch_size,
            shuffle=True,
            num_workers=machine.threads,
            pin_memory=machine.device == "cuda",
            drop_last=True,
            persistent_workers=True,
        )
        self.epochs = 1
        self.go_through()  # the workers start
        settle()
        began = time.perf_counter()
        self.go_through()
        settle()
        self.epochs = max(1, round(TURN_SECONDS / (time.perf_counter() - began)))

    def go_through(self) -> int:
        """Train on all images once; returns how many they were."""
        count = 0
        for images, labels in self.loader:
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
        """A job of some epochs of these few images."""
        return lambda: sum(self.go_through() for _ in range(self.epochs))
