"""Batched augmentations: pure functions `(images, targets, generator) -> (images, targets)`."""

from smallvision.augment.catalog import AUGMENTATIONS, Augmentation
from smallvision.augment.pixels import Normalize, build_normalizer

__all__ = ["AUGMENTATIONS", "Augmentation", "Normalize", "build_normalizer"]
