"""Batched augmentations: pure functions `(images, targets, generator) -> (images, targets)`."""

from smallvision.augment.catalog import AUGMENTATIONS, Augmentation, AugmentationSchedule
from smallvision.augment.geometry import random_crop
from smallvision.augment.pixels import Normalize, build_normalizer
from smallvision.augment.targets import smooth_labels

__all__ = [
    "AUGMENTATIONS",
    "Augmentation",
    "AugmentationSchedule",
    "Normalize",
    "build_normalizer",
    "random_crop",
    "smooth_labels",
]
