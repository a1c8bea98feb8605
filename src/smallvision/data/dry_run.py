"""A small stand-in of a data set, to run every line of a job before the long one."""

from __future__ import annotations

from dataclasses import replace

from smallvision.data.dataset import DataSet
from smallvision.data.sealed_test import seal
from smallvision.data.split import split_stratified

IMAGES = 400  # at least, where there are as many
PER_CLASS = 5  # the fewest that leave some to train on, to validate on and to test on


def rehearse(dataset: DataSet, seed: int) -> DataSet:
    """A small stand-in of a data set; its test images come from training: the seal stays closed.

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
        test=seal(train.take(tested)),
        val=None,
        notes=(*dataset.notes, "This is a rehearsal: its test images are training images."),
    )
