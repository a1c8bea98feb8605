"""The folds of cross-validation: every labelled image is left out of training in one of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smallvision.data.imageset import ImageSet
from smallvision.data.related import Related, group_duplicates
from smallvision.data.split import Split, make_split
from smallvision.errors import DataError
from smallvision.randomness import derive_seed
from smallvision.shapes import Indices, Labels


def make_folds(
    images: ImageSet,
    num_folds: int,
    *,
    val: ImageSet | None = None,
    subset: float | None = None,
    seed: int = 0,
    related: Related | None = None,
) -> tuple[Split, ...]:
    """Divide training images into K folds, stratified, the same way for the same seed.

    The first fold is the split that `make_split` makes with a share of 1/K. Each image is in the
    validation part of one fold, and in the training part of all others. Related images are in one
    validation part. A class with fewer than K images is missing in some validation parts, and
    in no training part.

    Args:
        images: the official training images.
        num_folds: K; with 1 there is one split, with the usual share of validation images.
        val: a validation set that the source declares, for one split only.
        subset: use only this share of the images, stratified, before they are divided.
        seed: determines all choices.
        related: which images stay together; by default identical ones.

    Returns: K splits that differ in `train` and `val` alone.

    Raises:
        DataError: a class is too small to be split, there are fewer distinct images than folds
            need, or the source declares a validation set, which folds have no use for.
    """
    if num_folds == 1:
        return (make_split(images, val=val, subset=subset, seed=seed, related=related),)
    if val is not None:
        raise DataError(
            "the data have validation images of their own, which folds would not use; ask for "
            "--folds 1"
        )
    first = make_split(
        images, val_fraction=1 / num_folds, subset=subset, seed=seed, related=related
    )
    groups = group_duplicates(images.images) if related is None else related.numbers
    folds = spread_groups(
        images.labels[first.train], groups[first.train], num_folds - 1, derive_seed(seed, "folds")
    )
    pool = np.union1d(first.train, first.val)
    parts = [first.train[folds == fold] for fold in range(num_folds - 1)]
    if not all(map(len, parts)):
        raise DataError(
            f"{len(pool)} images are too few for {num_folds} folds, of which one has no "
            "validation image; ask for fewer with --folds, or for one split with --folds 1"
        )
    others = (replace(first, train=np.setdiff1d(pool, part), val=part) for part in parts)
    return first, *others


def spread_groups(labels: Labels, groups: Labels, num_folds: int, seed: int) -> Indices:
    """Assign groups of related images to folds, so that every class is spread evenly.

    Large groups come first, in a random order. Each goes to the fold that has the fewest images of
    its classes, and among those to the smallest.

    Args:
        labels, groups: int64 `(N,)`.
        num_folds: how many folds there are.
        seed: the same seed gives the same folds.

    Returns: the fold of each image, int64 `(N,)`, counted from 0. Without groups the numbers
        of a class differ by at most one.
    """
    members: dict[int, list[int]] = {}
    for i in np.random.default_rng(seed).permutation(len(labels)).tolist():
        members.setdefault(int(groups[i]), []).append(i)
    folds = np.zeros(len(labels), dtype=np.int64)
    counts = np.zeros((num_folds, int(labels.max()) + 1), dtype=np.int64)
    for group in sorted(members.values(), key=len, reverse=True):
        add = np.bincount(labels[group], minlength=counts.shape[1])
        fold = int(np.lexsort((counts.sum(axis=1), counts @ add))[0])
        counts[fold] += add
        folds[group] = fold
    return folds
