"""The figures of an image set, and what follows from them for models and metrics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from smallvision.data.channels import count_levels, mean_and_std
from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.cache import record_sizes
from smallvision.data.related import group_duplicates
from smallvision.format import format_points
from smallvision.records.schema import (
    ChannelName,
    ChannelStatistics,
    DuplicateCounts,
    ExplorationFigures,
)
from smallvision.records.schema.measures import UNEVEN
from smallvision.shapes import Shape
from smallvision.stats.intervals import wilson_interval

BINS = 64  # of a channel's histogram, which is counted from all 256 levels
BALANCED = 1.5  # images of the largest class, divided by those of the smallest


def measure_images(
    images: ImageSet,
    *,
    mirror_safe: bool,
    num_val: int | None,
    original: OriginalSizes | None = None,
) -> ExplorationFigures:
    """Measure classes, channels and duplicates.

    Args:
        images: the images, usually of the training split.
        mirror_safe: whether a left-right flip keeps the label.
        num_val: number of validation images, or None to say nothing about their accuracy.
        original: sizes of the pictures before they were resized, or None if there were none.
    """
    sizes = np.bincount(group_duplicates(images.images))
    present = images.counts[images.counts > 0]
    imbalance = float(present.max() / present.min())
    channels = measure_channels(count_levels(images.images))
    duplicates = DuplicateCounts(groups=int((sizes > 1).sum()), images=int(sizes[sizes > 1].sum()))
    implications = [
        describe_balance(images, imbalance),
        describe_size(images.shape),
        *([describe_original(original, images.shape)] if original else []),
        describe_channels(channels),
        f"There are about {len(images) // images.num_classes:,} training images a class.",
        describe_mirror(mirror_safe),
        *([describe_duplicates(duplicates.images)] if duplicates.images else []),
        *([describe_resolution(num_val)] if num_val else []),
    ]
    return ExplorationFigures(
        n=len(images),
        shape=images.shape,
        class_names=images.class_names,
        counts=tuple(images.counts.tolist()),
        imbalance=imbalance,
        channels=channels,
        duplicates=duplicates,
        sizes=record_sizes(original) if original else None,
        implications=tuple(implications),
    )


def measure_channels(counts: npt.NDArray[np.int64]) -> tuple[ChannelStatistics, ...]:
    """Name, mean, deviation and histogram of each channel.

    Args:
        counts: how often each byte value occurs, int64 `(C, 256)`.
    """
    names: list[ChannelName] = ["grey"] if len(counts) == 1 else ["red", "green", "blue"]
    shares = counts / counts.sum(axis=1, keepdims=True)
    histograms = shares.reshape(len(counts), BINS, -1).sum(axis=2)
    return tuple(
        ChannelStatistics(name=name, mean=mean, std=std, histogram=tuple(histogram.tolist()))
        for name, mean, std, histogram in zip(names, *mean_and_std(counts), histograms, strict=True)
    )


def describe_original(sizes: OriginalSizes, shape: Shape) -> str:
    """Which sizes the pictures had."""
    smallest, middle, largest = (
        f"{size[0]:,}x{size[1]:,}" for size in (sizes.smallest, sizes.middle, sizes.largest)
    )
    if sizes.distinct == 1:
        return f"The pictures had {middle} pixels."
    return (
        f"The pictures had {sizes.distinct:,} sizes, from {smallest} to {largest} pixels, "
        f"{middle} in the middle; the images have {shape[2]}x{shape[1]}."
    )


def describe_balance(images: ImageSet, imbalance: float) -> str:
    """Whether accuracy is a fair metric."""
    absent = [
        name for name, count in zip(images.class_names, images.counts, strict=True) if not count
    ]
    if absent:
        return f"No training image is of class {', '.join(absent)}, so no model can learn it."
    if imbalance <= BALANCED:
        return f"The classes are balanced ({imbalance:.2f} to 1), so accuracy is a fair metric."
    times = f"The largest class has {imbalance:.1f} times the images of the smallest"
    if imbalance <= UNEVEN:
        return (
            f"{times}: read the figures of each class beside accuracy, which the large classes "
            "dominate."
        )
    return (
        f"{times}, so large classes decide the accuracy: read balanced accuracy and macro F1, "
        "choose by one of them with --metric, and try --set class_weights=balanced or --set "
        "sampling=balanced, with which small classes count more."
    )


def describe_size(shape: Sequence[int]) -> str:
    """What the size of the images means for convolutions."""
    _, H, W = shape
    return (
        f"At {H}x{W} pixels a few 3x3 convolutions cover the whole image, so no large receptive "
        "field and no more than three halvings are needed."
    )


def describe_channels(channels: Sequence[ChannelStatistics]) -> str:
    """What the channels mean for normalisation."""
    if len(channels) == 1:
        return "The images are grey, so they have one channel."
    means = ", ".join(f"{channel.name} {channel.mean:.3f}" for channel in channels)
    return (
        f"The channels differ in mean ({means}), so each is normalised by its own mean and "
        "deviation over the training split."
    )


def describe_mirror(mirror_safe: bool) -> str:
    """Whether models are trained on mirror images."""
    if not mirror_safe:
        return "A mirrored image may change its class, so flips are left out."
    return (
        "A mirrored image is assumed to keep its class, so models are trained on flips; if it does "
        "not, as with letters, say --no-mirror."
    )


def describe_duplicates(count: int) -> str:
    """What duplicates mean for the split."""
    return (
        f"{count:,} training images have an identical copy; copies never fall on both sides of the "
        "split into training and validation."
    )


def describe_resolution(num_val: int) -> str:
    """How precisely validation images measure an accuracy."""
    low, high = wilson_interval(round(0.9 * num_val), num_val)
    return (
        f"With {num_val:,} validation images an accuracy of 90 % is known to about "
        f"±{format_points((high - low) / 2, signed=False)}."
    )
