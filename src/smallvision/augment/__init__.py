"""Batched augmentations: pure functions `(images, targets, generator) -> (images, targets)`."""

from smallvision.augment.catalog import AUGMENTATIONS, Augmentation
from smallvision.augment.pixels import normalize

__all__ = ["AUGMENTATIONS", "Augmentation", "normalize"]
