"""Every augmentation by name; `recipes.settings.augmentations` has its settings and its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Generator, Tensor

from smallvision.augment.erase import cutout, random_erasing
from smallvision.augment.geometry import alternating_flip, crop, flip
from smallvision.augment.mix import cutmix, mixup
from smallvision.augment.trivial import trivial_augment

Augmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
# From a step of the run, counted from 0, and the indices of a batch's images, int64 `(N,)`, to the
# augmentations that are applied to them, in order.
AugmentationSchedule = Callable[[int, Tensor], Sequence[Augmentation]]


@dataclass(frozen=True)
class AugmentationEntry:
    """An augmentation.

    Attributes:
        apply: `(images, targets, generator, **settings) -> (images, targets)`.
        mixes: whether it mixes an image and its target with those of another image.
        needs_indices: whether it depends on the indices of the images and on the epoch; it then
            takes `indices`, `epoch` and `seed` too.
    """

    apply: Callable[..., tuple[Tensor, Tensor]]
    mixes: bool = False
    needs_indices: bool = False


AUGMENTATIONS: dict[str, AugmentationEntry] = {
    "flip": AugmentationEntry(flip),
    "alternating_flip": AugmentationEntry(alternating_flip, needs_indices=True),
    "crop": AugmentationEntry(crop),
    "cutout": AugmentationEntry(cutout),
    "random_erasing": AugmentationEntry(random_erasing),
    "cutmix": AugmentationEntry(cutmix, mixes=True),
    "mixup": AugmentationEntry(mixup, mixes=True),
    "trivial_augment": AugmentationEntry(trivial_augment),
}
