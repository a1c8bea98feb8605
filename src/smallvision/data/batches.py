"""A training set in one tensor, and the batches drawn from it.

The whole set is one uint8 tensor, where the model is if it fits there, else a file. A batch is
gathered, augmented as bytes and normalised on the device, so that no image passes through Python
on its own.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from smallvision.augment import AugmentationSchedule, Normalize
from smallvision.data.placement import PlacedImages, gather
from smallvision.data.storage.stored_images import StoredImages
from smallvision.randomness import derive_seed

AHEAD = 2  # batches that are asked for before their turn, where they lie in a file


def count_steps(num_images: int, batch_size: int) -> int:
    """Batches an epoch; the images left over wait for the next epoch's order."""
    return max(1, num_images // batch_size)


def count_parts(batch_size: int, micro_batch: int) -> int:
    """Parts in which a batch is made; 0 at a time is all at once."""
    return -(-batch_size // micro_batch) if micro_batch else 1


def weigh_classes(labels: Tensor, num_classes: int) -> Tensor:
    """Weights of the classes by one over their size, float32 `(K,)`; 1 on the mean of the images.

    Args:
        labels: int64 `(N,)`.
        num_classes: K; a class without images gets 0.

    Source: King and Zeng, Political Analysis 9 (2001) 137-163.
    """
    counts = torch.bincount(labels, minlength=num_classes).float()
    present = (counts > 0).sum()
    return torch.where(counts > 0, counts.sum() / (present * counts.clamp(min=1)), 0.0)


def draw_balanced(labels: Tensor, size: int, generator: Generator) -> Tensor:
    """Draw as many images of each class that has any, in a random order, int64 `(size,)`.

    Each image of a class is drawn equally often, give or take one.

    Args:
        labels: int64 `(N,)`, in the machine's memory.
        size: how many to draw; shares differ by one where it does not divide by the classes.
        generator: of the draws.
    """
    classes = torch.nonzero(torch.bincount(labels))[:, 0]
    classes = classes[torch.randperm(len(classes), generator=generator)]
    drawn = []
    for place, label in enumerate(classes):
        members = torch.nonzero(labels == label)[:, 0]
        share = size // len(classes) + (place < size % len(classes))
        rounds = -(-share // len(members))
        orders = [members[torch.randperm(len(members), generator=generator)] for _ in range(rounds)]
        drawn.append(torch.cat([members[:0], *orders])[:share])
    picks = torch.cat(drawn)
    return picks[torch.randperm(len(picks), generator=generator)]


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

    @property
    def num_parts(self) -> int:
        """Parts in which it is made."""
        return count_parts(len(self), self.source.micro_batch)

    def make_part(self, part: int) -> tuple[Tensor, Tensor]:
        """A part: images float `(b, C, H, W)` channels-last, targets `(b, K)`."""
        picks = torch.tensor_split(self.picks, self.num_parts)[part]
        where = (self.epoch, self.step, part) if part else (self.epoch, self.step)
        return self.source.make(picks, *where)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all parts, in order."""
        return map(self.make_part, range(self.num_parts))


@dataclass(frozen=True, eq=False)
class TrainBatches:
    """Shuffled, augmented, normalised batches; every draw follows from seed, epoch and step.

    Attributes:
        images: uint8 `(N, C, H, W)`, on the device, in the machine's memory or in a file.
        labels: int64 `(N,)` on the device.
        num_classes: K.
        normalize: from bytes to what the network sees.
        batch_size: images a batch; a set smaller than a batch makes one batch of all its images.
        augmentations: what is applied in order to bytes and targets, given the step of the run
            and which images they are.
        seed: of the run.
        micro_batch: most images made at a time, in parts that differ by one at most; 0 for the
            whole batch.
        passes: over all images in an epoch, each in an order of its own.
        class_weights: float32 `(K,)`, what the loss of each class is multiplied by; None for 1.
        is_balanced: whether a pass takes as many images of each class, those of small classes
            repeatedly, and not each image once.
    """

    images: PlacedImages
    labels: Tensor
    num_classes: int
    normalize: Normalize
    batch_size: int
    augmentations: AugmentationSchedule
    seed: int
    micro_batch: int = 0
    passes: int = 1
    class_weights: Tensor | None = None
    is_balanced: bool = False

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.passes * count_steps(len(self.images), self.batch_size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 1, but for the first so many."""
        picks = self.list_picks(epoch, first)
        coming = deque(map(self.fetch, itertools.islice(picks, AHEAD)))
        for step in itertools.count(first):
            if not coming:
                return
            coming.extend(map(self.fetch, itertools.islice(picks, 1)))
            yield Batch(self, coming.popleft(), epoch, step)

    def list_picks(self, epoch: int, first: int) -> Iterator[Tensor]:
        """Yield which images make each batch of an epoch, but for the first so many batches."""
        steps = self.steps // self.passes
        for number in range(first // steps, self.passes):
            seed = derive_seed(self.seed, "order", (epoch - 1) * self.passes + number + 1)
            order = self.draw_order(Generator().manual_seed(seed))
            batches = torch.split(order.to(self.labels.device), self.batch_size)[:steps]
            yield from batches[max(0, first - number * steps) :]

    def draw_order(self, generator: Generator) -> Tensor:
        """The images of a pass in their order, int64 `(N,)`."""
        if not self.is_balanced:
            return torch.randperm(len(self.images), generator=generator)
        return draw_balanced(self.labels.cpu(), len(self.images), generator)

    def fetch(self, picks: Tensor) -> Tensor:
        """Ask for the images of a batch that is to come, if they lie in a file; gives `picks`."""
        if isinstance(self.images, StoredImages):
            self.images.prefetch(picks.cpu().numpy())
        return picks

    def make(self, picks: Tensor, epoch: int, step: int, *part: int) -> tuple[Tensor, Tensor]:
        """Gather, augment and normalise images; the draws follow from the place in the run."""
        images = gather(self.images, picks, self.labels.device)
        targets = F.one_hot(self.labels[picks], self.num_classes).float()
        seed = derive_seed(self.seed, "augment", epoch, step, *part)
        generator = Generator(images.device).manual_seed(seed)
        for augment in self.augmentations((epoch - 1) * self.steps + step, picks):
            images, targets = augment(images, targets, generator)
        if self.class_weights is not None:
            # The loss is linear in the targets, mixed and softened ones included.
            targets = targets * self.class_weights
        return self.normalize(images), targets
