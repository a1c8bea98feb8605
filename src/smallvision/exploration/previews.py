"""Augmentations, shown on an image; the only module of this room that needs torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from smallvision.augment import Augmentation
from smallvision.randomness import derive_seed
from smallvision.shapes import Images


@dataclass(frozen=True)
class AugmentationPreview:
    """An augmentation to show: its name, what it does, and its function."""

    name: str
    sentence: str
    augment: Augmentation


def preview_augmentation(images: Images, augment: Augmentation, *, count: int, seed: int) -> Images:
    """The first of some images, followed by variations of it.

    Each variation is made in a batch of two with another of the images, because some augmentations
    mix images.

    Args:
        images: uint8 `(N, C, H, W)`.
        augment: the augmentation.
        count: images to return, the original among them.
        seed: of the variations.

    Returns: uint8 `(count, C, H, W)`.
    """
    generator = torch.Generator().manual_seed(derive_seed(seed, "preview"))
    strip = [images[0]]
    for i in range(count - 1):
        pair = torch.from_numpy(images[[0, (i + 1) % len(images)]])
        varied, _ = augment(pair, torch.zeros(2, 1), generator)
        strip.append(varied[0].numpy())
    return np.stack(strip)
