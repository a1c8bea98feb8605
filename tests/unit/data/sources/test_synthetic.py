"""The synthetic set: the same bytes from the same seed, and a truth that is true."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from smallvision.data.sealed_test import break_seal
from smallvision.data.sources.patterns import PATTERNS
from smallvision.data.sources.synthetic import make_synthetic
from smallvision.errors import SettingError


def test_the_same_seed_draws_the_same_bytes():
    settings = {"label_noise": 0.1, "duplicates": 5, "seed": 7}
    (first, _), (second, _) = make_synthetic(200, **settings), make_synthetic(200, **settings)
    other, _ = make_synthetic(200, **{**settings, "seed": 8})
    assert first.train.fingerprint == second.train.fingerprint != other.train.fingerprint
    assert first.test.fingerprint == second.test.fingerprint != other.test.fingerprint


def test_more_training_images_leave_the_test_images_alone():
    (small, _), (large, _) = make_synthetic(100), make_synthetic(300)
    assert small.test.fingerprint == large.test.fingerprint


@pytest.mark.parametrize(("K", "side"), [(2, 8), (10, 32), (7, 96)])
def test_any_number_of_classes_and_pixels(K, side):
    data, _ = make_synthetic(3 * K, test_size=K, num_classes=K, image_size=side)
    assert data.train.shape == (3, side, side)
    assert data.train.counts.tolist() == [3] * K
    assert data.train.class_names == tuple(PATTERNS)[:K]


def test_the_truth_about_labels():
    data, truth = make_synthetic(500, label_noise=0.1, seed=1)
    wrong = np.flatnonzero(data.train.labels != truth.labels)
    assert np.array_equal(wrong, truth.flipped)
    assert len(wrong) == 50
    assert np.bincount(truth.labels).tolist() == [50] * 10
    assert "50 training labels were flipped on purpose." in data.notes
    clean, nothing = make_synthetic(500, seed=1)
    assert np.array_equal(clean.train.images, data.train.images)
    assert np.array_equal(clean.train.labels, truth.labels)
    assert len(nothing.flipped) == 0


def test_the_truth_about_duplicates():
    data, truth = make_synthetic(300, test_size=50, duplicates=9)
    assert (truth.twins.shape, truth.leaks.shape) == ((5, 2), (4, 2))
    train, test = data.train, break_seal(data.test)
    for one, other in truth.twins:
        assert np.array_equal(train.images[one], train.images[other])
        assert train.labels[one] == train.labels[other]
    for one, other in truth.leaks:
        assert np.array_equal(train.images[one], test.images[other])
        assert train.labels[one] == test.labels[other]
    distinct = {pixels.tobytes() for part in (train, test) for pixels in part.images}
    assert len(distinct) == 350 - 9


@pytest.mark.parametrize(
    "settings",
    [
        *({"size": 29}, {"test_size": 9}, {"num_classes": 1}, {"num_classes": 11}),
        *({"image_size": 97}, {"difficulty": 1.1}, {"label_noise": -0.1}, {"duplicates": 16}),
        {"difficulty": float("nan")},
    ],
)
def test_settings_out_of_range(settings):
    (name,) = settings
    with pytest.raises(SettingError, match=f"^{name} is .*; expected"):
        make_synthetic(**{"size": 30, **settings})


def test_ten_thousand_images_in_seconds():
    started = time.process_time()
    make_synthetic(10_000, test_size=10)
    assert time.process_time() - started < 8  # about 1 on an idle core


def correlate(images):
    """How alike pixels some steps apart are: local structure, without place or color."""
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
    test = break_seal(data.test)
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
