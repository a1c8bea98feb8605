import numpy as np
import pytest
from sklearn import metrics

from smallvision.stats import log_loss, rate_accuracy
from smallvision.stats.channels import count_levels, mean_and_std
from smallvision.stats.rates import compare_rates


def test_log_loss_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 50)
    labels = rng.integers(0, 4, 50)
    expected = metrics.log_loss(labels, probabilities, labels=range(4))
    assert log_loss(probabilities, labels) == pytest.approx(expected)


def test_accuracy_comes_with_its_interval_and_n() -> None:
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    record = rate_accuracy(probabilities, np.array([0, 1, 2, 1]))
    assert (record["accuracy"], record["n"]) == (0.75, 4)
    assert record["interval"][0] < 0.75 < record["interval"][1]


def test_rates_are_compared_by_fisher() -> None:
    # The lady tasting tea: all eight cups named rightly, 2 of the 70 ways to choose four.
    assert compare_rates(1.0, 4, 0.0, 4) == pytest.approx(2 / 70)
    assert compare_rates(0.95, 1000, 0.94, 1000) > 0.05
    assert compare_rates(0.95, 10_000, 0.94, 10_000) < 0.05


def test_channel_statistics_are_exact() -> None:
    images = np.random.default_rng(0).integers(0, 256, (70, 3, 8, 9)).astype(np.uint8)
    mean, std = mean_and_std(count_levels(images))
    assert mean == pytest.approx((images / 255).mean(axis=(0, 2, 3)), abs=1e-12)
    assert std == pytest.approx((images / 255).std(axis=(0, 2, 3)), abs=1e-12)


def test_a_constant_channel_does_not_divide_by_zero() -> None:
    images = np.full((5, 1, 8, 8), 7, dtype=np.uint8)
    assert mean_and_std(count_levels(images))[1] == [1 / 255]
