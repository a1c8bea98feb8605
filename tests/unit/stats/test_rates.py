import numpy as np
import pytest
from sklearn import metrics

from smallvision.stats.rates import compare_rates, log_loss, rate_accuracy
from tests.support.records import make_rate


def test_log_loss_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 50)
    labels = rng.integers(0, 4, 50)
    expected = metrics.log_loss(labels, probabilities, labels=range(4))
    assert log_loss(probabilities, labels) == pytest.approx(expected)


def test_accuracy_comes_with_its_interval_and_n() -> None:
    probabilities = np.eye(3)[[0, 1, 2, 0]]
    rate = rate_accuracy(probabilities, np.array([0, 1, 2, 1]))
    assert (rate.accuracy, rate.n) == (0.75, 4)
    assert rate.interval[0] < 0.75 < rate.interval[1]


def test_rates_are_compared_by_fisher() -> None:
    # The lady tasting tea: all eight cups named rightly, 2 of the 70 ways to choose four.
    assert compare_rates(make_rate(1.0, 4), make_rate(0.0, 4)) == pytest.approx(2 / 70)
    assert compare_rates(make_rate(0.95, 1000), make_rate(0.94, 1000)) > 0.05
    assert compare_rates(make_rate(0.95, 10_000), make_rate(0.94, 10_000)) < 0.05
