"""A closer look than a study takes: pairs that are alike, outliers, and a map of the images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import numpy as np

from smallvision.data.alike.pairs import MOST_COMPARED, list_alike
from smallvision.data.alike.thumbnails import can_compare
from smallvision.data.contact_sheet import Picture, tile
from smallvision.data.imageset import ImageSet
from smallvision.data.related import group_duplicates
from smallvision.exploration.implications import (
    describe_conflicts,
    describe_extremes,
    describe_map,
    describe_near,
)
from smallvision.exploration.pixels import PixelRows, reduce_images
from smallvision.randomness import derive_seed
from smallvision.records.schema import (
    AlikePairs,
    CloserLook,
    ExploredSource,
    ExtremeImages,
    ImageMap,
    ImagePair,
    MappedImage,
    MeasuredImage,
    ShownImage,
)
from smallvision.shapes import Floats, Indices
from smallvision.stats.images.feature_map import lay_out, pick_for_map
from smallvision.stats.images.image_properties import PROPERTIES, measure_properties
from smallvision.stats.images.outliers import BEYOND, score_outliers
from smallvision.stats.intervals import wilson_interval

MOST_PAIRS, STRIP = 12, 10  # pairs of a kind, and images of an end of a property, that are shown
MOST_SEARCHED = 1000  # of more than 10,000 images, so many are compared with all
MOST_MAPPED, COLUMNS = 1000, 40  # images on the map, and in a row of its sheet
FAINTEST = 1e-8  # sharpness below which an image has no detail; its logarithm must exist

Pictures = dict[str, Picture]  # by file name
Pair = tuple[int, int]


def look_closer(
    images: ImageSet,
    source: ExploredSource,
    numbers: Indices,
    *,
    kept_together: bool,
    seed: int,
) -> tuple[CloserLook, Pictures]:
    """Look for pairs and outliers, and map the images; seconds, where the figures take one.

    Args:
        images: those of the training split.
        source: what was understood of the source.
        numbers: int64 `(N,)`, the numbers of the images among the training images of the source.
        kept_together: whether a split keeps near-duplicates of one class on one side.
        seed: of the choice of images.

    Returns: the record, and its pictures by file name.
    """
    pairs, of_pairs = pair_images(images, numbers, mirror=source.mirror_safe, seed=seed)
    extremes, of_extremes = find_extremes(images, numbers)
    found, of_map = map_images(images, numbers, seed=seed)
    implications = (
        describe_map(found),
        *([describe_conflicts(pairs)] if pairs.conflicts else []),
        *([describe_near(pairs, kept_together=kept_together)] if pairs.found else []),
        describe_extremes(extremes),
    )
    record = CloserLook(
        source=source, pairs=pairs, extremes=extremes, map=found, implications=implications
    )
    return record, of_pairs | of_extremes | of_map


def pair_images(
    images: ImageSet, numbers: Indices, *, mirror: bool, seed: int
) -> tuple[AlikePairs, Pictures]:
    """Find identical images and near-duplicates, and draw some of them in pairs.

    Args:
        images: the images.
        numbers: int64 `(N,)`, their numbers among the training images.
        mirror: whether a mirror image counts as a near-duplicate.
        seed: of the choice of images whose near-duplicates are searched for, if not of all.

    Returns: the record, and its pictures by file name.
    """
    same, conflicts = pair_identical(images)
    wanted = choose_wanted(images, seed)
    alike = list_alike(images.images, mirror=mirror, wanted=wanted)
    near: list[Pair] = []
    if alike is not None:
        groups = group_duplicates(images.images)
        near = [(i, j) for i, j in alike.tolist() if groups[i] != groups[j]]
    found = len(set(wanted.tolist()) & {i for pair in near for i in pair})
    complete = len(wanted) in (0, len(images))
    pictures: Pictures = {}

    def draw(kind: str, pairs: Iterable[Pair]) -> tuple[ImagePair, ...]:
        drawn: list[ImagePair] = []
        for i, j in order_pairs(images, pairs):
            file = f"{kind}-{len(drawn):02d}.png"
            pictures[file] = tile(images.images[[i, j]], 2)
            first, second = (name_image(images, numbers, k) for k in (i, j))
            drawn.append(ImagePair(first=first, second=second, file=file))
        return tuple(drawn)

    record = AlikePairs(
        conflicts=conflicts,
        identical=draw("identical", same),
        searched=len(wanted),
        found=found,
        interval=None if complete else wilson_interval(found, len(wanted)),
        near=draw("alike", near),
    )
    return record, pictures


def pair_identical(images: ImageSet) -> tuple[list[Pair], int]:
    """A pair of each group of identical images, and how many groups have more than one class."""
    groups = group_duplicates(images.images)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(np.bincount(groups)[groups] > 1).tolist():
        members[int(groups[i])].append(i)
    pairs, conflicts = [], 0
    for first, *others in members.values():
        different = [i for i in others if images.labels[i] != images.labels[first]]
        conflicts += bool(different)
        pairs.append((first, (different or others)[0]))
    return pairs, conflicts


def choose_wanted(images: ImageSet, seed: int) -> Indices:
    """The images whose near-duplicates are searched for: all, some of many, or none."""
    N = len(images)
    if not can_compare(images.images):
        return np.arange(0)
    if N <= MOST_COMPARED:
        return np.arange(N)
    rng = np.random.default_rng(derive_seed(seed, "near-duplicates"))
    return np.sort(rng.choice(N, MOST_SEARCHED, replace=False))


def order_pairs(images: ImageSet, pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs to show: different classes first, each image once as long as there are others."""
    ranked = sorted(pairs, key=lambda pair: bool(images.labels[pair[0]] == images.labels[pair[1]]))
    fresh: list[Pair] = []
    rest: list[Pair] = []
    seen: set[int] = set()
    for pair in ranked:
        (rest if seen & set(pair) else fresh).append(pair)
        seen |= set(pair)
    return [*fresh, *rest][:MOST_PAIRS]


def find_extremes(images: ImageSet, numbers: Indices) -> tuple[tuple[ExtremeImages, ...], Pictures]:
    """Find the darkest, brightest, blurriest and sharpest images, and draw them.

    Args:
        images: the images.
        numbers: int64 `(N,)`, their numbers among the training images.
    """
    measured = measure_properties(images.images)
    groups, pictures = [], {}
    measures: tuple[Literal["brightness"], Literal["sharpness"]] = ("brightness", "sharpness")
    for measure in measures:
        values = measured[measure]
        compared = np.log(values.clip(FAINTEST)) if measure == "sharpness" else values
        scores = score_outliers(compared)
        for sign, words in zip((-1, 1), PROPERTIES[measure], strict=True):
            order = np.argsort(-sign * values, kind="stable")[:STRIP]
            file = f"{words}.png"
            pictures[file] = tile(images.images[order], STRIP)
            shown = tuple(measure_image(images, numbers, i, values) for i in order.tolist())
            beyond = int((sign * scores > BEYOND).sum())
            groups.append(
                ExtremeImages(measure=measure, words=words, beyond=beyond, images=shown, file=file)
            )
    return tuple(groups), pictures


def map_images(images: ImageSet, numbers: Indices, *, seed: int) -> tuple[ImageMap, Pictures]:
    """Lay some of the images out by their pixels.

    Pixels, and no features of a trained network: they need no network that has seen other images,
    or these very ones with their classes. So the map shows what can be told before any training,
    and a report can show beside it what a network has learned.

    Args:
        images: the images.
        numbers: int64 `(N,)`, their numbers among the training images.
        seed: of the choice of images, and of the map.
    """
    picked = pick_for_map(images.labels, seed=seed, most=MOST_MAPPED)
    small = reduce_images(images.images[picked])
    labels = images.labels[picked]
    found = lay_out(PixelRows(small)[:].astype(np.float32) / 255, labels, seed=seed)
    shares = np.bincount(labels) / len(labels)
    mapped = tuple(
        name_image(images, numbers, i).extend(MappedImage, place=(x, y))
        for i, (x, y) in zip(picked.tolist(), found.places.round(4).tolist(), strict=True)
    )
    file = "map.png"
    record = ImageMap(
        file=file,
        width=small.shape[3],
        height=small.shape[2],
        columns=min(COLUMNS, len(small)),
        same_class=found.same_class,
        chance=float((shares**2).sum()),
        trustworthiness=found.trustworthiness,
        images=mapped,
    )
    return record, {file: tile(small, COLUMNS)}


def name_image(images: ImageSet, numbers: Indices, i: int) -> ShownImage:
    """An image as records name it."""
    return ShownImage(
        number=int(numbers[i]), label=int(images.labels[i]), source_file=images.name_file(i)
    )


def measure_image(images: ImageSet, numbers: Indices, i: int, values: Floats) -> MeasuredImage:
    """An image with a property of it."""
    return name_image(images, numbers, i).extend(MeasuredImage, value=float(values[i]))
