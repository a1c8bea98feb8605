import numpy as np
import pytest
from sklearn import metrics

from smallvision.stats.rates import (
    average_classes,
    compare_rates,
    log_loss,
    mean_by_class,
    measure_score,
    rate_accuracy,
)
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


@pytest.mark.parametrize("seed", range(5))
def test_class_means_agree_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 3], 60, p=[0.7, 0.2, 0.1])  # no image is of class 2
    predicted = np.where(rng.random(60) < 0.5, labels, rng.integers(0, 5, 60))
    found = average_classes(predicted, labels)
    assert found.balanced_accuracy == pytest.approx(
        metrics.recall_score(labels, predicted, labels=[0, 1, 3], average="macro")
    )
    assert found.macro_f1 == pytest.approx(
        metrics.f1_score(labels, predicted, labels=[0, 1, 3], average="macro")
    )
    counts = np.bincount(labels)
    assert found.imbalance == counts.max() / counts[counts > 0].min()
    for metric in ("balanced_accuracy", "macro_f1"):
        assert measure_score(predicted, labels, metric) == getattr(found, metric)
    assert measure_score(predicted, labels, "accuracy") == np.mean(predicted == labels)


def test_a_model_that_always_names_the_large_class_is_seen_through() -> None:
    """A figure that is fair to uneven classes was asked for in scikit-learn/scikit-learn#6747."""
    labels = np.repeat([0, 1], [95, 5])
    rate = rate_accuracy(np.eye(2)[np.zeros(100, dtype=int)], labels)
    assert rate.accuracy == 0.95
    assert rate.by_class is not None
    assert rate.by_class.is_uneven
    assert rate.score("balanced_accuracy") == 0.5
    assert rate.score("accuracy") == 0.95
    assert rate.score("macro_f1") == pytest.approx(0.487, abs=1e-3)


@pytest.mark.parametrize(("large", "uneven"), [(3, False), (4, True)])
def test_classes_are_uneven_beyond_three_to_one(large: int, uneven: bool) -> None:
    labels = np.repeat([0, 1], [large, 1])
    assert average_classes(labels, labels).is_uneven is uneven


def test_means_of_class_means_need_all_of_them() -> None:
    labels = np.array([0, 0, 0, 1])
    right, wrong = average_classes(labels, labels), average_classes(1 - labels, labels)
    mean = mean_by_class([right, wrong])
    assert mean is not None
    assert (mean.balanced_accuracy, mean.macro_f1, mean.imbalance) == (0.5, 0.5, 3)
    assert mean_by_class([right, None]) is None
