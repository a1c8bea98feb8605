"""The synthetic set: the same bytes from the same seed, and a truth that is true."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from smallvision.data.sealed_test import open_sealed_test
from smallvision.data.split import find_copies, group_duplicates
from tests.support.patterns import PATTERNS
from tests.support.synthetic import make_synthetic


def test_the_same_seed_draws_the_same_bytes():
    settings = {"label_noise": 0.1, "duplicates": 5, "seed": 7}
    (first, _), (second, _) = make_synthetic(200, **settings), make_synthetic(200, **settings)
    other, _ = make_synthetic(200, **{**settings, "seed": 8})
    assert first.train.fingerprint == second.train.fingerprint != other.train.fingerprint
    assert first.test.fingerprint == second.test.fingerprint != other.test.fingerprint


def test_more_training_images_leave_the_test_images_alone():
    (small, _), (large, _) = make_synthetic(100), make_synthetic(300)
    assert small.test.fingerprint == large.test.fingerprint


def test_classes_are_equal():
    data, _ = make_synthetic(30, test_size=10, image_size=16)
    assert data.train.shape == (3, 16, 16)
    assert data.train.counts.tolist() == [3] * 10
    assert data.train.class_names == tuple(PATTERNS)


def test_the_truth_about_labels():
    data, truth = make_synthetic(500, label_noise=0.1, seed=1)
    wrong = np.flatnonzero(data.train.labels != truth.labels)
    assert np.array_equal(wrong, truth.flipped)
    assert len(wrong) == 50
    assert np.bincount(truth.labels).tolist() == [50] * 10
    clean, nothing = make_synthetic(500, seed=1)
    assert np.array_equal(clean.train.images, data.train.images)
    assert np.array_equal(clean.train.labels, truth.labels)
    assert len(nothing.flipped) == 0


def test_the_truth_about_duplicates():
    data, truth = make_synthetic(300, test_size=50, duplicates=9)
    train, test = data.train, open_sealed_test(data.test)
    groups = group_duplicates(train.images)
    copies = np.flatnonzero(groups != np.arange(300))
    assert sorted(zip(groups[copies], copies, strict=True)) == sorted(
        tuple(sorted(pair)) for pair in truth.duplicates
    )
    assert np.array_equal(*train.labels[truth.duplicates.T])
    leaked = np.flatnonzero(find_copies(test.images, train.images))
    assert leaked.tolist() == sorted(truth.leaks[:, 1])
    assert np.array_equal(train.labels[truth.leaks[:, 0]], test.labels[truth.leaks[:, 1]])
    assert (len(copies), len(leaked)) == (5, 4)


def correlate(images):
    """The autocorrelation of the pixels: local structure, without position or colour."""
    grey = images.images.mean(axis=1, dtype=np.float32)
    grey -= grey.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.rfft2(grey, s=(48, 48))) ** 2
    likeness = np.fft.irfft2(power)
    likeness /= likeness[:, :1, :1]
    near = np.roll(likeness, 8, axis=(1, 2))[:, :17, :17]
    return ((near + near[:, :, ::-1]) / 2)[:, :, :9].reshape(len(grey), -1)


def show_pixels(images):
    return images.images.reshape(len(images), -1)[:, ::8]


def accuracy(difficulty, features):
    data, _ = make_synthetic(1000, difficulty=difficulty, seed=2)
    test = open_sealed_test(data.test)
    model = RandomForestClassifier(60, random_state=0)
    model.fit(features(data.train), data.train.labels)
    return model.score(features(test), test.labels)


def test_local_structure_can_be_learned_and_difficulty_hurts():
    easy, middling, hard = (accuracy(difficulty, correlate) for difficulty in (0, 0.5, 1))
    assert easy > 0.6
    assert easy > middling + 0.1 > hard + 0.2
    assert hard < 0.25
    assert middling > accuracy(0.5, show_pixels) + 0.15


def test_no_class_prefers_a_side():
    """Stripes that rose more often than they fell would become another class in a mirror."""
    data, _ = make_synthetic(4000, test_size=10, difficulty=0, seed=3)
    images = data.train.images.mean(axis=1, dtype=np.float32)
    images -= images.mean(axis=(1, 2), keepdims=True)
    rising = (images[:, 1:, :-1] * images[:, :-1, 1:]).mean(axis=(1, 2))
    falling = (images[:, 1:, 1:] * images[:, :-1, :-1]).mean(axis=(1, 2))
    for label in range(10):
        difference = (rising - falling)[data.train.labels == label]
        assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(len(difference))
