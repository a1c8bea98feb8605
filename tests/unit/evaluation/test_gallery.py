"""Which images are shown, and where they lie."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.evaluation import gallery as module
from smallvision.evaluation.gallery import build_gallery, pick_errors, shrink
from smallvision.shapes import Floats
from tests.support.images import make_images
from tests.support.models import brightness_network, wrap_network

N = 90


@pytest.fixture
def probabilities() -> Floats:
    """Right but for the first six images, of which a 2 is called 0 and every other one 1 more."""
    found = np.full((N, 3), 0.1)
    found[np.arange(N), make_images(N).labels] = 0.8
    for i in range(6):
        found[i] = 0.2
        found[i, (make_images(N).labels[i] + 1) % 3] = 0.6 + 0.01 * i
    return found


def build(probabilities: Floats) -> tuple[module.ValidationGallery, module.Picture]:
    images = make_images(N)
    model = wrap_network(brightness_network(1.0, 2.0, 3.0), num_classes=3)
    return build_gallery(model, images.images, images.labels, np.arange(N) + 1000, probabilities)


def test_few_images_are_all_on_the_map_and_on_the_sheet(probabilities: Floats) -> None:
    images = make_images(N)
    record, sheet = build(probabilities)
    assert sorted(image.index for image in record.images) == list(range(1000, 1000 + N))
    assert all(image.place is not None for image in record.images)
    assert (record.errors, record.columns, record.width, record.height) == (6, 40, 8, 8)
    for rank, image in enumerate(record.images):
        top, left = rank // 40 * 9, rank % 40 * 9
        pixels = images.images[image.index - 1000, 0]
        assert np.array_equal(sheet[top : top + 8, left : left + 8, 0], pixels)
        assert image.true == images.labels[image.index - 1000]
    order = [(image.true, image.predicted, -image.probability) for image in record.images]
    assert order == sorted(order)


def test_many_images_are_a_sample_and_errors_beside_it(
    probabilities: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_MAPPED", 30)
    monkeypatch.setattr(module, "MOST_ERRORS", 4)
    record, _ = build(probabilities)
    assert sum(image.place is not None for image in record.images) == 30
    wrong = {image.index for image in record.images if image.true != image.predicted}
    assert record.errors == len(wrong) >= 4
    classes = [image.true for image in record.images if image.place is not None]
    assert [classes.count(k) for k in range(3)] == [10, 10, 10]


def test_the_same_images_give_the_same_gallery(probabilities: Floats) -> None:
    assert build(probabilities)[0] == build(probabilities)[0]


def test_every_pair_has_its_turn_before_another_has_its_second() -> None:
    labels = np.array([0, 0, 0, 1, 2, 2, 0])
    predicted = np.array([1, 1, 1, 2, 0, 0, 0])
    confidence = np.array([0.5, 0.9, 0.7, 0.4, 0.6, 0.8, 0.99])
    found = pick_errors(labels, predicted, confidence, most=10)
    assert found.tolist() == [1, 5, 3, 2, 4, 0], "the last image is right"
    assert pick_errors(labels, predicted, confidence, most=2).tolist() == [1, 5]
    assert pick_errors(labels, labels, confidence, most=2).tolist() == []


def test_large_images_are_averaged() -> None:
    images = np.zeros((2, 1, 97, 64), dtype=np.uint8)
    images[:, :, ::3] = 90
    small = shrink(images)
    assert small.shape == (2, 1, 32, 21)
    assert (small == 30).all()
    assert shrink(images[:, :, :48, :48]).shape == (2, 1, 48, 48)
