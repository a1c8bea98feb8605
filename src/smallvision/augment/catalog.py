"""Every augmentation by name, with its card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Generator, Tensor

from smallvision.augment.erase import cutout
from smallvision.augment.geometry import crop, flip
from smallvision.cards import Card

Augmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class AugmentationEntry:
    """A function `(images, targets, generator, **settings)` and its card."""

    apply: Callable[..., tuple[Tensor, Tensor]]
    card: Card


AUGMENTATIONS: dict[str, AugmentationEntry] = {
    "flip": AugmentationEntry(
        flip,
        Card(
            sentence="Mirror each image left to right, half of the time.",
            source="folklore; Krizhevsky et al., NeurIPS 2012",
            assumes="a mirrored image keeps its label: true of animals, false of digits and text",
        ),
    ),
    "crop": AugmentationEntry(
        crop,
        Card(
            sentence="Shift each image by a few pixels; mirrored pixels fill the border.",
            source="He et al., arXiv 1512.03385; reflection as in Zagoruyko, arXiv 1605.07146",
            assumes="the object does not sit at the very edge",
        ),
    ),
    "cutout": AugmentationEntry(
        cutout,
        Card(
            sentence="Hide a grey square of each image.",
            source="DeVries and Taylor, arXiv 1708.04552",
            assumes="no single patch decides the class",
        ),
    ),
}
