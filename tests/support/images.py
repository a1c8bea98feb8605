"""Tiny image sets that a network can learn in a few steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import seal_test
from smallvision.shapes import Images


def make_images(
    size: int, *, num_classes: int = 3, side: int = 8, channels: int = 1, seed: int = 0
) -> ImageSet:
    """Learnable images: each class has a bright row of its own, under noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size, dtype=np.int64) % num_classes
    images = rng.integers(0, 120, (size, channels, side, side))
    images[np.arange(size), :, labels] += 130
    names = tuple(f"class {k}" for k in range(num_classes))
    return ImageSet(images.astype(np.uint8), labels, names)


def make_dataset(size: int = 120, test_size: int = 30, **settings: int) -> DataSet:
    """A data set of such images with a sealed test set."""
    return DataSet(
        name="rows",
        source="tests",
        train=make_images(size, **settings),
        test=seal_test(make_images(test_size, **{**settings, "seed": 99})),
    )


def write_dataset(path: Path, size: int = 120, test_size: int = 30, **settings: int) -> Path:
    """Write an npz of such images, with test images and names of the classes of its own."""
    train = make_images(size, **settings)
    test = make_images(test_size, **{**settings, "seed": 99})
    np.savez(
        path,
        x_train=train.images,
        y_train=train.labels,
        x_test=test.images,
        y_test=test.labels,
        class_names=np.array(train.class_names),
    )
    return path


def make_photographs(count: int, seed: int = 0) -> Images:
    """Smooth pictures in colour of 24 pixels a side, each unlike the others."""
    rough = np.random.default_rng(seed).integers(0, 256, (count, 3, 6, 6))
    return np.kron(rough, np.ones((4, 4))).astype(np.uint8)
