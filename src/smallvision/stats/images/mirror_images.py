"""Whether mirror images still look like their class, by the average images of the classes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from smallvision.shapes import Images, Labels
from smallvision.stats.images.nearest_average import average_rows

# Of what is told beyond chance; CIFAR-10 loses 3 %, road signs a third, signing hands nine tenths.
MOST_LOST = 0.2
BEYOND_CHANCE = 0.001  # largest p


class MirrorCheck(NamedTuple):
    """How many images, and mirror images, are nearest to the average of their class.

    Attributes:
        right, mirrored: shares of the images.
        keeps_class: whether mirror images are told as well, or nearly, or the loss may be chance.
    """

    right: float
    mirrored: float
    keeps_class: bool


def check_mirror(images: Images, labels: Labels, num_classes: int) -> MirrorCheck:
    """Classify images and their mirror images by the nearest average image of a class.

    Each half of the images, every second one of a class, is classified by averages of the other
    half.

    Args:
        images: uint8 `(N, C, H, W)`.
        labels: int64 `(N,)` in `[0, K)`.
        num_classes: K.
    """
    hits = np.zeros((2, len(images)), dtype=bool)
    second = np.zeros(len(images), dtype=bool)
    second[np.argsort(labels, kind="stable")[1::2]] = True
    for own in (second, ~second):
        averages = average_rows(images[~own], labels[~own], num_classes).astype(np.float32)
        there = np.bincount(labels[~own], minlength=num_classes) > 0
        squares = np.where(there, (averages**2).sum(axis=1), np.inf)
        for hit, view in zip(hits, (images[own], images[own][..., ::-1]), strict=True):
            rows = view.reshape(len(view), -1).astype(np.float32)
            hit[own] = (squares - 2 * rows @ averages.T).argmin(axis=1) == labels[own]
    right, mirrored = hits.mean(axis=1).tolist()
    if right - mirrored <= MOST_LOST * (right - 1 / num_classes):
        return MirrorCheck(right, mirrored, True)
    from smallvision.stats.paired import compare_paired  # slow to import, and rarely needed

    return MirrorCheck(right, mirrored, compare_paired(*hits).p >= BEYOND_CHANCE)
