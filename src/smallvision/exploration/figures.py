"""The figures of an image set, and what follows from them for models and metrics."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import numpy.typing as npt

from smallvision.data.channels import count_levels, mean_and_std
from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.cache import record_sizes
from smallvision.data.related import group_duplicates
from smallvision.exploration.implications import (
    describe_averages,
    describe_balance,
    describe_channels,
    describe_duplicates,
    describe_mirror,
    describe_number,
    describe_original,
    describe_resolution,
    describe_size,
)
from smallvision.exploration.pixels import PixelRows
from smallvision.records.schema import (
    AverageClassifier,
    AverageRecall,
    ChannelName,
    ChannelStatistics,
    DuplicateCounts,
    ExplorationFigures,
)
from smallvision.stats.images.nearest_average import confuse_by_averages
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.multiple import holm

BINS = 64  # of a channel's histogram, which is counted from all 256 levels


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
    averages = measure_averages(images)
    duplicates = DuplicateCounts(groups=int((sizes > 1).sum()), images=int(sizes[sizes > 1].sum()))
    implications = [
        describe_balance(images, imbalance),
        describe_size(images.shape),
        *([describe_original(original, images.shape)] if original else []),
        describe_channels(channels),
        describe_number(images),
        describe_averages(averages, images.class_names),
        describe_mirror(mirror_safe),
        *([describe_duplicates(duplicates.images)] if duplicates.images else []),
        *([describe_resolution(num_val, images.num_classes)] if num_val else []),
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
        averages=averages,
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


def measure_averages(images: ImageSet) -> AverageClassifier:
    """What a classifier that knows only the average image of each class tells apart.

    A class is recognisable if its average draws a larger share of its own images than of all
    others: a large share alone says little, since some average is near to everything.
    """
    counts = confuse_by_averages(PixelRows(images.images), images.labels, images.num_classes)
    sizes, drawn = counts.sum(axis=1), counts.sum(axis=0)
    present = np.flatnonzero(sizes)
    p = dict(zip(present.tolist(), compare_shares(counts, present), strict=True))
    classes = []
    for k, row in enumerate(counts):
        n, hits = int(row.sum()), int(row[k])
        rest = np.where(np.arange(len(row)) == k, 0, row)
        one = AverageRecall(
            n=n,
            hits=hits,
            interval=wilson_interval(hits, n) if n else None,
            others=int(drawn[k] - hits) / max(1, len(images) - n),
            p=p.get(k),
            taken_for=int(rest.argmax()) if rest.any() else None,
        )
        classes.append(one)
    score = fmean(one.recall for one in classes if one.n)
    return AverageClassifier(balanced_accuracy=score, classes=tuple(classes))


def compare_shares(counts: npt.NDArray[np.int64], present: npt.NDArray[np.int64]) -> list[float]:
    """The p-value of each class that has images, corrected after Holm.

    Args:
        counts: `[i][j]`, images of class i that are nearest to average j.
        present: numbers of the classes that have images.
    """
    from scipy.stats import hypergeom  # imported here, because it is slow to import

    total, own = counts.sum(), counts.diagonal()
    sizes, drawn = counts.sum(axis=1), counts.sum(axis=0)
    alone = [hypergeom.sf(own[k] - 1, total, sizes[k], drawn[k]) for k in present]
    found: list[float] = holm(np.clip(alone, 0, 1)).tolist()
    return found
