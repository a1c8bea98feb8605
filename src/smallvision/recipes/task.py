"""The properties of a data set that recipes depend on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """The properties of a data set that a ladder is adapted to.

    Attributes:
        shape: `(C, H, W)` of an image.
        num_train: images in the training split.
        mirror_safe: whether a flip keeps the label.
        num_val: images in the validation split.
    """

    shape: tuple[int, int, int]
    num_train: int
    mirror_safe: bool
    num_val: int = 0


CIFAR10 = Task((3, 32, 32), 40_000, mirror_safe=True, num_val=10_000)  # for listings without data
