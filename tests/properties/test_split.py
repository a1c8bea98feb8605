import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallvision.data.imageset import ImageSet
from smallvision.data.related import group_duplicates
from smallvision.data.split import make_split, split_stratified
from smallvision.errors import DataError
from tests.support.images import make_images

labels = st.lists(st.integers(0, 4), min_size=30, max_size=120).map(
    lambda extra: np.array([k for k in range(5) for _ in range(2)] + extra, dtype=np.int64)
)


@given(labels=labels, fraction=st.floats(0.05, 0.9), seed=st.integers(0, 99))
def test_covers_disjointly_and_by_class(labels: np.ndarray, fraction: float, seed: int) -> None:
    rest, picked = split_stratified(labels, fraction=fraction, seed=seed)
    assert sorted([*rest, *picked]) == list(range(len(labels)))
    counts, taken = np.bincount(labels), np.bincount(labels[picked], minlength=5)
    assert (taken >= 1).all()
    assert (taken < counts).all()
    assert (np.abs(taken - fraction * counts) <= 1).all()


@given(labels=labels, seed=st.integers(0, 99))
def test_never_parts_duplicates(labels: np.ndarray, seed: int) -> None:
    groups = np.arange(len(labels))
    groups[20:30:2] = groups[21:31:2] = np.arange(20, 30, 2)
    rest, picked = split_stratified(labels, fraction=0.3, seed=seed, groups=groups)
    assert not set(groups[rest]) & set(groups[picked])


def test_same_seed_same_split() -> None:
    images = make_images(90)
    first, again, other = (make_split(images, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.val, again.val)
    assert not np.array_equal(first.val, other.val)


def test_a_fifth_is_validation_and_a_subset_is_stratified() -> None:
    images = make_images(300)
    split = make_split(images, seed=0, subset=0.5)
    assert (len(split.train), len(split.val)) == (120, 30)
    assert not set(split.train) & set(split.val)
    assert np.bincount(images.labels[split.train]).tolist() == [40, 40, 40]


def test_a_small_class_survives_thinning() -> None:
    """A class of three among hundreds still gives one image to train on and one to validate."""
    images = make_images(300)
    labels = np.where(np.arange(300) < 3, 0, 1 + np.arange(300) % 2)
    long_tailed = ImageSet(np.array(images.images), labels, ("rare", "b", "c"))
    split = make_split(long_tailed, seed=0, subset=0.1)
    for side in (split.train, split.val):
        assert 0 in labels[side]


def test_copies_of_declared_validation_images_are_not_learned_from() -> None:
    images = make_images(60)
    val = images.take(np.arange(12))
    split = make_split(images, val=val)
    assert split.train.tolist() == list(range(12, 60))
    assert (len(split.val), split.dropped) == (12, 12)
    with pytest.raises(DataError, match="class 'class 0' has no training image that is not also"):
        make_split(images.take(np.arange(12)), val=val)


def test_duplicates_are_found_by_content() -> None:
    images = make_images(9).images.copy()
    images[7] = images[2]
    assert group_duplicates(images).tolist() == [0, 1, 2, 3, 4, 5, 6, 2, 8]


def test_a_lone_image_in_a_class_is_named() -> None:
    with pytest.raises(DataError, match="class '1' has one image"):
        split_stratified(np.array([0, 0, 0, 1]), fraction=0.2, seed=0)
    with pytest.raises(DataError, match="class '1' has no image"):
        split_stratified(np.array([0, 0, 0, 2, 2]), fraction=0.2, seed=0)


def test_a_class_of_one_image_many_times_cannot_be_split() -> None:
    images = np.array(make_images(30).images)
    images[1::3] = images[1]
    same = ImageSet(images, make_images(30).labels, ("a", "b", "c"))
    with pytest.raises(DataError, match="identical"):
        make_split(same, seed=0)
