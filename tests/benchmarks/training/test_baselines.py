from __future__ import annotations

import numpy as np
import pytest

from benchmarks.training import baselines
from benchmarks.training.baselines import fit_cnn, fit_svc
from smallvision.data.imageset import ImageSet
from smallvision.data.split import make_split
from tests.support.images import make_images


def test_an_svc_learns_and_is_fitted_on_validation_images_too() -> None:
    images = make_images(120)
    split = make_split(images, seed=0)
    svc = fit_svc(images, split)
    assert svc.right.shape == split.val.shape
    assert svc.right.mean() > 0.9
    other = make_images(60, seed=1)
    assert (svc.predict(other.images) == other.labels).mean() > 0.9
    noise = shuffle_labels(images)
    known = fit_svc(noise, split)
    assert known.chosen in {f"C={cost:g}" for cost in baselines.COSTS}
    known_rate = (known.predict(noise.images) == noise.labels)[split.val].mean()
    assert known_rate > known.right.mean() + 0.2, "it knows the labels that it validated on"


@pytest.mark.usefixtures("steady_clock")
def test_a_plain_network_learns_for_its_time() -> None:
    images = make_images(120, channels=3)
    cnn = fit_cnn(images, make_split(images, seed=0), seconds=20, seed=0)
    assert cnn.chosen.endswith("of 20")
    other = make_images(60, channels=3, seed=1)
    assert (cnn.predict(other.images) == other.labels).mean() > 0.9


@pytest.mark.usefixtures("steady_clock")
def test_a_plain_network_is_that_of_its_best_epoch() -> None:
    images = shuffle_labels(make_images(120))
    split = make_split(images, seed=0)
    cnn = fit_cnn(images, split, seconds=30, seed=0)
    now_right = cnn.predict(images.images[split.val]) == images.labels[split.val]
    assert now_right.tolist() == cnn.right.tolist()
    assert not cnn.chosen.startswith("epoch 30")


@pytest.mark.usefixtures("steady_clock")
def test_a_plain_network_without_time_has_one_epoch() -> None:
    images = make_images(30)
    assert fit_cnn(images, make_split(images), seconds=0, seed=0).chosen == "epoch 1 of 1"


def shuffle_labels(images: ImageSet) -> ImageSet:
    """Images whose labels mean nothing, which can only be known by heart."""
    labels = np.random.default_rng(0).permutation(images.labels)
    return ImageSet(images.images, labels, images.class_names)
