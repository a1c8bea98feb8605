"""The classifier by average images, against one that computes each average anew."""

import numpy as np
import pytest

from smallvision.stats.images import nearest_average
from smallvision.stats.images.nearest_average import confuse_by_averages, measure_nearness


def confuse_slowly(rows: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    counts = np.zeros((num_classes, num_classes), dtype=int)
    for i in range(len(rows)):
        distances = np.full(num_classes, np.inf)
        for k in range(num_classes):
            others = (labels == k) & (np.arange(len(rows)) != i)
            if others.any():
                distances[k] = ((rows[i] - rows[others].mean(axis=0)) ** 2).sum()
        counts[labels[i], distances.argmin()] += 1
    return counts


@pytest.mark.parametrize("chunk", [7, 1000])
def test_each_image_is_left_out_of_its_own_average(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest_average, "CHUNK", chunk)
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (40, 12)).astype(np.uint8)
    labels = np.concatenate([[3], rng.integers(0, 3, 39)])  # class 3 has one image, class 4 none
    found = confuse_by_averages(rows, labels, 5)
    assert (found == confuse_slowly(rows.astype(float), labels, 5)).all()
    assert found[3, 3] == 0
    assert found[:, 4].sum() == 0
    assert found.sum() == 40


def test_noise_is_not_recognised() -> None:
    """An average of two images, of which one is the image itself, is always near."""
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(400, 300)), np.arange(400) % 200
    assert np.trace(confuse_by_averages(rows, labels, 200)) < 40


def test_classes_apart_are_recognised() -> None:
    rows = np.repeat([[0, 0], [100, 0], [0, 100]], 5, axis=0)
    labels = np.repeat([0, 1, 2], 5)
    assert (confuse_by_averages(rows, labels, 3) == np.diag([5, 5, 5])).all()


def test_nearness_by_hand() -> None:
    """Averages of one pixel at 0 and 1, and a class without one."""
    averages = np.array([[0.0], [1.0], [np.nan]])
    rows = np.array([[0.2], [0.8], [0.0], [0.5]])
    zero = np.zeros(4, dtype=np.int64)
    assert measure_nearness(rows, zero, averages) == pytest.approx([0.2, 0.8, 0, 0.5])
    # A class without an average is further away than any that has one.
    assert measure_nearness(rows[:1], zero[:1] + 2, averages) == [1]
    assert measure_nearness(rows[:1], zero[:1], averages[[0, 2]]) == [0]
