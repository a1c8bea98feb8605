"""`load_data`: names, paths and options."""

from __future__ import annotations

import pytest

from smallvision.data.loading.load import load_data
from smallvision.errors import SettingError


def test_digits():
    data = load_data()
    assert (data.name, data.source, data.mirror_safe) == ("digits", "scikit-learn", False)
    assert len(data.train) + len(data.test) == 1797
    assert data.train.shape == (1, 8, 8)
    assert data.train.class_names == tuple("0123456789")
    assert (data.train.images.min(), data.train.images.max()) == (0, 255)
    assert data.notes == (f"{len(data.test)} images were set aside as the test set and sealed.",)
    assert len(data.test) == pytest.approx(360, abs=3)


def test_the_seed_chooses_the_test_images():
    fingerprints = [load_data("digits", seed=seed).test.fingerprint for seed in (0, 0, 1)]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


@pytest.mark.parametrize("word", ["cifar-10", "cfar10", "CIFAR10"])
def test_a_misspelt_name(word, refuses):
    with refuses(f"'{word}' is neither a known data set nor an existing file or folder"):
        load_data(word)


def test_a_near_miss_is_suggested(refuses):
    with refuses("did you mean 'cifar10'?"):
        load_data("cifar01")


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        ("digits", {"data_dir": "/x"}, "data_dir is for cifar10 and cifar100"),
        ("nowhere", {"data_dir": "/x"}, "'nowhere' does not need it"),
        ("digits", {"image_size": 32}, "image_size does not apply to 'digits'"),
        ("cifar10", {"image_size": 32}, "image_size does not apply to 'cifar10'"),
    ],
)
def test_options_that_do_not_belong(source, options, words):
    with pytest.raises(SettingError, match=words):
        load_data(source, **options)
