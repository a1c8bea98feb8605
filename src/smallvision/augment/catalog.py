"""Every augmentation by name, with its card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Generator, Tensor

from smallvision.augment.erase import cutout, random_erasing
from smallvision.augment.geometry import alternating_flip, crop, flip
from smallvision.augment.mix import cutmix, mixup
from smallvision.augment.trivial import trivial_augment
from smallvision.cards import Card

Augmentation = Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]
# From a step of the run, counted from 0, and the images of a batch, int64 `(N,)`, to what is
# applied to them, in order.
AugmentationSchedule = Callable[[int, Tensor], Sequence[Augmentation]]


@dataclass(frozen=True)
class AugmentationEntry:
    """A function `(images, targets, generator, **settings)` and its card.

    Attributes:
        apply: the function.
        card: for people who choose.
        mixes: whether an image and its target take in something of another image.
        remembers: whether it wants to know which images these are, and when: it then takes
            `indices`, `epoch` and `seed` too.
    """

    apply: Callable[..., tuple[Tensor, Tensor]]
    card: Card
    mixes: bool = False
    remembers: bool = False


AUGMENTATIONS: dict[str, AugmentationEntry] = {
    "flip": AugmentationEntry(
        flip,
        Card(
            sentence="Mirror each image left to right, half of the time.",
            source="folklore; Krizhevsky et al., NeurIPS 2012",
            assumes="a mirrored image keeps its label: true of animals, false of digits and text",
        ),
    ),
    "alternating_flip": AugmentationEntry(
        alternating_flip,
        Card(
            sentence="Mirror each image left to right in every second epoch.",
            source="Jordan, arXiv 2404.00498",
            assumes="a mirrored image keeps its label: true of animals, false of digits and text",
        ),
        remembers=True,
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
    "random_erasing": AugmentationEntry(
        random_erasing,
        Card(
            sentence="Hide a box of each image under noise, half of the time.",
            source="Zhong et al., arXiv 1708.04896",
            assumes="no single patch decides the class",
        ),
    ),
    "cutmix": AugmentationEntry(
        cutmix,
        Card(
            sentence="Paste a box of another image, half of the time, and mix the labels alike.",
            source="Yun et al., arXiv 1905.04899",
            assumes="most parts of an image tell its class; a long enough training to profit",
        ),
        mixes=True,
    ),
    "mixup": AugmentationEntry(
        mixup,
        Card(
            sentence="Blend each image with another, and their labels in the same shares.",
            source="Zhang et al., arXiv 1710.09412",
            assumes="a long enough training to profit",
        ),
        mixes=True,
    ),
    "trivial_augment": AugmentationEntry(
        trivial_augment,
        Card(
            sentence="Slant, shift, turn, recolour or sharpen each image: one of 14, at random.",
            source="Müller and Hutter, arXiv 2103.10158",
            assumes="small shifts and turns, and other colours, keep the label",
            costs="milliseconds a batch",
        ),
    ),
}
