"""Calibration against hand-made answers, scikit-learn and planted truths."""

import numpy as np
import pytest
from sklearn import metrics

from smallvision.stats.probabilities.calibration import (
    brier_score,
    calibration_error,
    describe_calibration,
    fill_bins,
    fit_temperature,
    measure_calibration,
    take_logs,
    top_k_accuracy,
)
from smallvision.stats.probabilities.logits import scale_logits
from smallvision.stats.rates import find_correct, log_loss


def draw_labels(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Labels drawn from the very probabilities that were stated."""
    steps = probabilities.cumsum(axis=1)
    return (rng.random((len(steps), 1)) < steps).argmax(axis=1)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Logits of five classes, and labels that follow them."""
    rng = np.random.default_rng(0)
    logits = 2 * rng.standard_normal((20_000, 5))
    return logits, draw_labels(scale_logits(logits, 1.0), rng)


def test_calibration_error_by_hand() -> None:
    # Sure of 0.9 twice and right once; of 0.6 twice and right twice: (2 * 0.4 + 2 * 0.4) / 4.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    bins = fill_bins(probabilities, np.array([0, 1, 1, 1]))
    assert [(b.n, b.confidence, b.accuracy) for b in bins] == [
        (2, pytest.approx(0.6), 1.0),
        (2, pytest.approx(0.9), 0.5),
    ]
    assert [(b.low, b.high) for b in bins] == [
        (pytest.approx(8 / 15), pytest.approx(9 / 15)),
        (pytest.approx(13 / 15), pytest.approx(14 / 15)),
    ]
    assert calibration_error(bins) == pytest.approx(0.4)


def test_bins_cover_every_image_and_are_closed_above() -> None:
    probabilities = np.array([[1.0, 0.0], [0.5, 0.5], [0.75, 0.25]])
    bins = fill_bins(probabilities, np.array([0, 0, 0]), num_bins=4)
    assert [(b.low, b.high, b.n) for b in bins] == [
        (0.25, 0.5, 1),
        (0.5, 0.75, 1),
        (0.75, 1.0, 1),
    ]


def test_calibrated_predictions_have_almost_no_error(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    logits, labels = drawn
    assert measure_calibration(scale_logits(logits, 1.0), labels).ece < 0.012
    assert measure_calibration(scale_logits(logits, 0.5), labels).ece > 0.1


@pytest.mark.parametrize("planted", [0.4, 1.0, 3.0])
def test_a_planted_temperature_is_found(
    drawn: tuple[np.ndarray, np.ndarray], planted: float
) -> None:
    logits, labels = drawn
    temperature = fit_temperature(planted * logits, labels)
    assert temperature == pytest.approx(planted, rel=0.03)
    record = describe_calibration(planted * logits, labels, temperature)
    assert record.after.nll <= record.before.nll
    assert record.after.ece < 0.015


def test_the_temperature_is_the_end_of_the_likelihood_interval_that_is_nearest_to_1(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    logits, labels = drawn
    logits, labels = 2 * logits[:300], labels[:300]
    temperature = fit_temperature(logits, labels)

    def sum_losses(other: float) -> float:
        return float(300 * metrics.log_loss(labels, scale_logits(logits, other)))

    least = min(sum_losses(other) for other in np.linspace(1, 4, 301))
    assert 1 < temperature < 2
    assert 2 * (sum_losses(temperature) - least) == pytest.approx(3.84, abs=0.01)


def test_a_temperature_that_cannot_be_told_apart_from_1_is_not_used() -> None:
    rng = np.random.default_rng(5)
    used = []
    for _ in range(200):
        logits = 2 * rng.standard_normal((200, 5))
        used.append(fit_temperature(logits, draw_labels(scale_logits(logits, 1.0), rng)) != 1)
    assert 0.01 < np.mean(used) < 0.1, "5 % are told apart by chance"


def test_one_error_in_287_does_not_sharpen_a_calibrated_model() -> None:
    """The expected log loss of calibrated models is what it was, and no model loses a quarter.

    The most likely temperature makes it a few percent worse on average, and some models much worse.
    """
    rng = np.random.default_rng(6)
    hidden = draw_sure_logits(20_000, rng)
    truth = scale_logits(hidden, 1.0)

    def expect_loss(temperature: float) -> float:
        logs = take_logs(scale_logits(hidden, temperature))
        return float(-(truth * logs).sum(axis=1).mean())

    losses = []
    for _ in range(300):
        logits = draw_sure_logits(287, rng)
        temperature = fit_temperature(logits, draw_labels(scale_logits(logits, 1.0), rng))
        losses.append(expect_loss(temperature))
    assert truth.max(axis=1).mean() == pytest.approx(0.99, abs=0.003)
    assert np.mean(losses) / expect_loss(1.0) < 1.003
    assert max(losses) / expect_loss(1.0) < 1.5


def draw_sure_logits(count: int, rng: np.random.Generator) -> np.ndarray:
    """Logits of ten classes, `(N, 10)`, by which the most probable one is right 99 times in 100."""
    logits = rng.standard_normal((count, 10))
    margins = 18 * np.abs(1 + 0.35 * rng.standard_normal(count))
    logits[np.arange(count), rng.integers(0, 10, count)] += margins
    return logits


def test_log_probabilities_will_do_for_logits(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = drawn
    logs = take_logs(scale_logits(logits, 1.0))
    assert fit_temperature(logs, labels) == pytest.approx(fit_temperature(logits, labels), rel=1e-3)


def test_a_model_that_is_never_wrong_stays_as_it_is() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    assert fit_temperature(logits, np.array([0, 1])) == 1.0


def test_temperature_moves_no_class() -> None:
    logits = np.random.default_rng(1).standard_normal((5_000, 10)).astype(np.float32)
    for temperature in (0.05, 0.7, 1.9, 20.0):
        scaled = scale_logits(logits, temperature)
        assert scaled.dtype == np.float32
        assert np.array_equal(scaled.argmax(axis=1), logits.argmax(axis=1))


def test_brier_score_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    probabilities, labels = rng.dirichlet(np.ones(4), 60), rng.integers(0, 4, 60)
    by_class = [metrics.brier_score_loss(labels == k, probabilities[:, k]) for k in range(4)]
    assert brier_score(probabilities, labels) == pytest.approx(sum(by_class))


def test_brier_score_by_hand() -> None:
    assert brier_score(np.array([[0.7, 0.2, 0.1]]), np.array([0])) == pytest.approx(0.14)
    assert brier_score(np.array([[1.0, 0.0]]), np.array([1])) == 2.0


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_agrees_with_scikit_learn(k: int) -> None:
    rng = np.random.default_rng(4)
    probabilities, labels = rng.dirichlet(np.ones(7), 80), rng.integers(0, 7, 80)
    expected = metrics.top_k_accuracy_score(labels, probabilities, k=k, labels=range(7))
    assert top_k_accuracy(probabilities, labels, k) == pytest.approx(expected)


def test_a_model_that_knows_nothing_gains_nothing_from_ties() -> None:
    probabilities, labels = np.full((4, 4), 0.25), np.arange(4)
    assert top_k_accuracy(probabilities, labels, 1) == find_correct(probabilities, labels).mean()
    assert top_k_accuracy(probabilities, labels, 2) == 0.5


def test_the_record_repeats_the_log_loss(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = drawn
    probabilities = scale_logits(logits, 1.3)
    assert measure_calibration(probabilities, labels).nll == log_loss(probabilities, labels)
