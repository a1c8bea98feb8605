"""A small stand-in for a data set, on which a dry run executes every step of a study quickly."""

from __future__ import annotations

from dataclasses import replace

from smallvision.data.dataset import DataSet
from smallvision.data.sealed_test import seal_test
from smallvision.data.split import split_stratified

IMAGES = 400  # taken at least, where the data set has as many
PER_CLASS = 5  # the fewest that can be split into training, validation and test images


def make_dry_run(dataset: DataSet, seed: int) -> DataSet:
    """Take some training images as a small data set; the real test set stays sealed.

    Raises:
        DataError: a class is too small to be split.
    """
    train = dataset.train
    share = max(IMAGES, PER_CLASS * train.num_classes) / len(train)
    if share < 1:
        _, picked = split_stratified(
            train.labels, fraction=share, seed=seed, at_least=3, class_names=train.class_names
        )
        train = train.take(picked)
    rest, tested = split_stratified(
        train.labels, fraction=0.2, seed=seed + 1, class_names=train.class_names
    )
    return replace(
        dataset,
        train=train.take(rest),
        test=seal_test(train.take(tested)),
        val=None,
        groups=None,  # those of all training images
        alike=None,
        notes=(*dataset.notes, "This is a dry run: its test images are training images."),
    )
