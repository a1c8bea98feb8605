"""The folds of cross-validation: every image left out once, and never trained on in that fold."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.data.folds import make_folds, spread_groups
from smallvision.data.imageset import ImageSet
from smallvision.data.related import group_duplicates, hash_image
from smallvision.data.split import Split, make_split
from smallvision.errors import DataError
from tests.support.images import make_images


def relabel(images: ImageSet, labels: np.ndarray) -> ImageSet:
    return ImageSet(np.array(images.images), labels, images.class_names)


def check_folds(folds: tuple[Split, ...], pool: np.ndarray) -> None:
    """No image is in both parts of a fold, and each is left out in just one."""
    for fold in folds:
        assert not set(fold.train) & set(fold.val)
        assert np.array_equal(np.union1d(fold.train, fold.val), pool)
    left_out = np.concatenate([fold.val for fold in folds])
    assert np.array_equal(np.sort(left_out), pool)


@pytest.mark.parametrize("num_folds", [2, 3, 5, 7])
def test_each_image_is_left_out_once(num_folds: int) -> None:
    images = make_images(101)
    folds = make_folds(images, num_folds, seed=3)
    assert len(folds) == num_folds
    check_folds(folds, np.arange(101))


@pytest.mark.parametrize("num_folds", [1, 2, 5])
def test_the_first_fold_is_the_usual_split(num_folds: int) -> None:
    images = make_images(100)
    share = 0.2 if num_folds == 1 else 1 / num_folds
    usual, first = (
        make_split(images, val_fraction=share, seed=3),
        make_folds(images, num_folds, seed=3)[0],
    )
    assert np.array_equal(first.train, usual.train)
    assert np.array_equal(first.val, usual.val)


def test_every_fold_has_every_class_in_its_share() -> None:
    images = relabel(make_images(200), np.repeat([0, 1, 2], [150, 37, 13]))
    for fold in make_folds(images, 5):
        counts = np.bincount(images.labels[fold.val], minlength=3)
        assert np.abs(counts - np.array([150, 37, 13]) / 5).max() < 1.5


def test_the_seed_determines_the_folds() -> None:
    images = make_images(100)
    one, same, other = (
        [fold.val.tolist() for fold in make_folds(images, 4, seed=seed)] for seed in (1, 1, 2)
    )
    assert one == same
    assert all(mine != theirs for mine, theirs in zip(one, other, strict=True))


def test_identical_images_are_left_out_together() -> None:
    plain = make_images(120)
    pixels = np.array(plain.images)
    pixels[60:90] = pixels[:30]  # of the same classes, since labels repeat every three
    pixels[117], pixels[114] = pixels[0], pixels[0]
    images = ImageSet(pixels, plain.labels, plain.class_names)
    assert len(np.unique(group_duplicates(images.images))) == 88
    folds = make_folds(images, 5)
    check_folds(folds, np.arange(120))
    for fold in folds:
        trained = {hash_image(image) for image in images.images[fold.train]}
        assert not any(hash_image(image) in trained for image in images.images[fold.val])


def test_a_rare_class_is_trained_on_in_every_fold() -> None:
    images = relabel(make_images(62), np.repeat([0, 1, 2], [30, 30, 2]))
    folds = make_folds(images, 5)
    check_folds(folds, np.arange(62))
    for fold in folds:
        assert np.bincount(images.labels[fold.train], minlength=3).min() >= 1


def test_only_the_subset_is_divided() -> None:
    images = make_images(300)
    folds = make_folds(images, 3, subset=0.4)
    pool = np.union1d(folds[0].train, folds[0].val)
    assert len(pool) == 120
    check_folds(folds, pool)


def test_large_groups_leave_the_folds_even() -> None:
    groups = np.r_[np.zeros(10, dtype=np.int64), np.arange(10, 40)]
    folds = spread_groups(np.zeros(40, dtype=np.int64), groups, 4, seed=0)
    assert len(set(folds[:10])) == 1
    assert np.bincount(folds).tolist() == [10, 10, 10, 10]


def test_too_few_images_are_refused() -> None:
    with pytest.raises(DataError, match=r"6 images are too few for 5 folds.*--folds 1"):
        make_folds(make_images(6), 5)


def test_declared_validation_images_are_not_left_aside() -> None:
    images = make_images(60)
    with pytest.raises(DataError, match=r"validation images of their own.*--folds 1"):
        make_folds(images, 5, val=make_images(30, seed=1))
    assert make_folds(images, 1, val=make_images(30, seed=1))[0].declared_val
