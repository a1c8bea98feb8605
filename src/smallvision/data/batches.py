"""A training set in one tensor, and the batches drawn from it.

The whole set is one uint8 tensor, where the model is if it fits there. A batch is gathered,
augmented as bytes and normalised on the device, so that no image passes through Python on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from smallvision.augment import AugmentationSchedule, Normalize
from smallvision.randomness import derive_seed


def count_steps(num_images: int, batch_size: int) -> int:
    """Batches an epoch; the images left over wait for the next epoch's order."""
    return max(1, num_images // batch_size)


def count_parts(batch_size: int, micro_batch: int) -> int:
    """Parts in which a batch is made; 0 at a time is all at once."""
    return -(-batch_size // micro_batch) if micro_batch else 1


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
        count = count_parts(len(self), self.source.micro_batch)
        for part, picks in enumerate(torch.tensor_split(self.picks, count)):
            where = (self.epoch, self.step, part) if part else (self.epoch, self.step)
            yield self.source.make(picks, *where)

    def note(self, losses: Tensor) -> None:
        """Remember how hard the images were: float `(B,)`, in order."""
        self.source.losses[self.picks] = losses


@dataclass(frozen=True, eq=False)
class TrainBatches:
    """Shuffled, augmented, normalised batches; every draw follows from seed, epoch and step.

    From an epoch of choice on, the steps go in passes over the hard images alone, those whose loss
    was highest when they were last met. airbench96 (Jordan, arXiv 2404.00498) trains on the hard
    half of each batch as a smaller network sees it; here the network in training is asked, whose
    losses are known anyway.

    Attributes:
        images: uint8 `(N, C, H, W)`, on the device or in the machine's memory.
        labels: int64 `(N,)` on the device.
        num_classes: K.
        normalize: from bytes to what the network sees.
        batch_size: images a batch; a set smaller than a batch makes one batch of all its images.
        augmentations: what is applied in order to bytes and targets, given the step of the run
            and which images they are.
        seed: of the run.
        micro_batch: most images made at a time, in parts that differ by one at most; 0 for the
            whole batch.
        hard_from: the first epoch that goes over hard images alone, counted from 1; None for none.
        hard_share: of the images, in such an epoch.
        reads_ahead: whether the next batch's images are read while a step is made of this one's,
            which pays where images lie in a mapped file.
        losses: of each image when it was last met, float `(N,)`; infinite before.
    """

    images: Tensor
    labels: Tensor
    num_classes: int
    normalize: Normalize
    batch_size: int
    augmentations: AugmentationSchedule
    seed: int
    micro_batch: int = 0
    hard_from: int | None = None
    hard_share: float = 0.5
    reads_ahead: bool = False
    losses: Tensor = field(init=False)

    def __post_init__(self) -> None:
        unknown = torch.full((len(self.images),), torch.inf, device=self.labels.device)
        object.__setattr__(self, "losses", unknown)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return count_steps(len(self.images), self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1."""
        is_hard = self.hard_from is not None and epoch >= self.hard_from
        steps = max(1, round(self.steps * self.hard_share)) if is_hard else self.steps
        with ThreadPoolExecutor(max_workers=1) as reader:
            for step in range(self.steps):
                turn, place = divmod(step, steps)
                if place == 0:
                    hard = (epoch, turn, steps)
                    order = self.shuffle_hard(*hard) if is_hard else self.shuffle(epoch)
                    picks = torch.split(order, self.batch_size)
                if self.reads_ahead and place + 1 < len(picks):
                    reader.submit(self.read, picks[place + 1])
                yield Batch(self, picks[place], epoch, step)

    def read(self, picks: Tensor) -> None:
        """Bring the pages of some images into memory; numpy lets other threads go on meanwhile."""
        np.take(self.images.numpy(), picks.cpu().numpy(), axis=0)

    def shuffle(self, epoch: int) -> Tensor:
        """All images in the order of an epoch."""
        order = Generator().manual_seed(derive_seed(self.seed, "order", epoch))
        return torch.randperm(len(self.images), generator=order).to(self.labels.device)

    def shuffle_hard(self, epoch: int, turn: int, steps: int) -> Tensor:
        """As many of the hardest images as some steps take, in the order of one pass over them."""
        count = min(steps * self.batch_size, len(self.images))
        hardest = self.losses.topk(count).indices
        order = Generator().manual_seed(derive_seed(self.seed, "order", epoch, turn))
        return hardest[torch.randperm(count, generator=order).to(hardest.device)]

    def make(self, picks: Tensor, epoch: int, step: int, *part: int) -> tuple[Tensor, Tensor]:
        """Gather, augment and normalise images; the draws follow from the place in the run."""
        images = self.images[picks.to(self.images.device)].to(self.labels.device)
        targets = F.one_hot(self.labels[picks], self.num_classes).float()
        seed = derive_seed(self.seed, "augment", epoch, step, *part)
        generator = Generator(images.device).manual_seed(seed)
        for augment in self.augmentations((epoch - 1) * self.steps + step, picks):
            images, targets = augment(images, targets, generator)
        return self.normalize(images), targets
