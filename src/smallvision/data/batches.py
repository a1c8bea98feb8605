"""A training set on the device, and the batches drawn from it.

The whole set is one uint8 tensor where the model is. A batch is gathered, augmented as bytes and
normalised there, so that no image passes through Python on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from smallvision.augment import AugmentationSchedule, Normalize
from smallvision.data.imageset import ImageSet
from smallvision.randomness import derive_seed
from smallvision.shapes import Indices


def to_tensor(images: ImageSet, indices: Indices, device: str) -> tuple[Tensor, Tensor]:
    """Images uint8 `(n, C, H, W)` and labels int64 `(n,)` at `indices`, on the device."""
    pixels = torch.from_numpy(np.ascontiguousarray(images.images[indices])).to(device)
    return pixels, torch.from_numpy(images.labels[indices]).to(device)


def count_steps(num_images: int, batch_size: int) -> int:
    """Batches an epoch; the images left over wait for the next epoch's order."""
    return max(1, num_images // batch_size)


@dataclass(frozen=True, eq=False)
class Batch:
    """The images of one step, made anew, and alike, each time they are gone through.

    Attributes:
        source: what they are drawn from.
        picks: which images, int64 `(B,)` on the device.
        epoch, step: where in the run, for the draws.
    """

    source: TrainBatches
    picks: Tensor
    epoch: int
    step: int

    def __len__(self) -> int:
        return len(self.picks)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield a part at a time: images float `(b, C, H, W)` channels-last, targets `(b, K)`."""
        for part, picks in enumerate(torch.split(self.picks, self.source.micro_batch or len(self))):
            where = (self.epoch, self.step, part) if part else (self.epoch, self.step)
            yield self.source.make(picks, *where)


@dataclass(frozen=True, eq=False)
class TrainBatches:
    """Shuffled, augmented, normalised batches; every draw follows from seed, epoch and step.

    Attributes:
        images: uint8 `(N, C, H, W)` on the device.
        labels: int64 `(N,)` on the device.
        num_classes: K.
        normalize: from bytes to what the network sees.
        batch_size: images a batch; a set smaller than a batch makes one batch of all its images.
        augmentations: what is applied in order to bytes and targets, given the step of the run
            and which images they are.
        seed: of the run.
        micro_batch: images made at a time; 0 for the whole batch.
    """

    images: Tensor
    labels: Tensor
    num_classes: int
    normalize: Normalize
    batch_size: int
    augmentations: AugmentationSchedule
    seed: int
    micro_batch: int = 0

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return count_steps(len(self.images), self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1."""
        order = Generator().manual_seed(derive_seed(self.seed, "order", epoch))
        indices = torch.randperm(len(self.images), generator=order).to(self.images.device)
        for step in range(self.steps):
            picks = indices[step * self.batch_size : (step + 1) * self.batch_size]
            yield Batch(self, picks, epoch, step)

    def make(self, picks: Tensor, epoch: int, step: int, *part: int) -> tuple[Tensor, Tensor]:
        """Gather, augment and normalise images; the draws follow from the place in the run."""
        images = self.images[picks]
        targets = F.one_hot(self.labels[picks], self.num_classes).float()
        seed = derive_seed(self.seed, "augment", epoch, step, *part)
        generator = Generator(images.device).manual_seed(seed)
        for augment in self.augmentations((epoch - 1) * self.steps + step, picks):
            images, targets = augment(images, targets, generator)
        return self.normalize(images), targets
