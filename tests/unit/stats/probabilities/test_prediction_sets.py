"""Prediction sets by hand, and their coverage: by simulation, and on images of a trained model."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from smallvision.errors import SettingError
from smallvision.records.schema import PredictionSetsRecord, SetCoverage
from smallvision.stats.probabilities.logits import scale_logits
from smallvision.stats.probabilities.prediction_sets import (
    ERROR_RATES,
    choose_sets,
    find_least_probability,
    fit_least_probability,
    judge_shortfall,
)

KEPT_SETS = PredictionSetsRecord(error_rates=(0.05, 0.1), least_probabilities=(0.25, 0.5), n=100)


def draw_answers(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of five classes that are too sure of themselves, and labels."""
    logits = 2 * rng.standard_normal((n, 5))
    steps = scale_logits(logits, 1.0).cumsum(axis=1)
    labels = (rng.random((n, 1)) < steps).argmax(axis=1)
    return scale_logits(logits, 0.6), labels


def hit(probabilities: np.ndarray, labels: np.ndarray, least: float) -> np.ndarray:
    """Whether the set of each image holds its label."""
    return choose_sets(probabilities, least)[np.arange(len(labels)), labels]


def test_the_least_probability_by_hand() -> None:
    """Of 9 images and an error rate of a fifth, the right class of 8 of 10 belongs to its set."""
    right = np.array([0.9, 0.1, 0.8, 0.3, 0.7, 0.6, 0.5, 0.2, 0.4])
    probabilities = np.stack([right, 1 - right], axis=1)
    labels = np.zeros(9, int)
    assert fit_least_probability(probabilities, labels, 0.2) == 0.2
    assert fit_least_probability(probabilities, labels, 0.1) == 0.1
    assert fit_least_probability(probabilities, labels, 0.05) == 0.0, "9 images are too few"


def test_too_few_images_give_all_classes() -> None:
    for error_rate in ERROR_RATES:
        enough = math.ceil(1 / error_rate - 1e-9) - 1
        probabilities, labels = draw_answers(enough, np.random.default_rng(0))
        assert fit_least_probability(probabilities, labels, error_rate) > 0
        least = fit_least_probability(probabilities[1:], labels[1:], error_rate)
        assert least == 0.0
        assert choose_sets(probabilities, least).all()


def test_sets_by_hand() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.25, 0.35, 0.4], [0.2, 0.4, 0.4]])
    assert choose_sets(probabilities, 0.3).tolist() == [
        [True, True, False],
        [False, True, True],
        [False, True, True],
    ]
    assert choose_sets(probabilities, 0.45).tolist() == [
        [True, False, False],
        [False, False, True],
        [False, True, False],
    ], "the most probable class is always there, of equal ones the first"


@pytest.mark.parametrize("error_rate", ERROR_RATES)
def test_validation_images_themselves_are_covered(error_rate: float) -> None:
    probabilities, labels = draw_answers(500, np.random.default_rng(1))
    least = fit_least_probability(probabilities, labels, error_rate)
    assert hit(probabilities, labels, least).mean() >= 1 - error_rate


def test_the_order_of_images_does_not_matter() -> None:
    probabilities, labels = draw_answers(300, np.random.default_rng(2))
    order = np.random.default_rng(3).permutation(300)
    least = fit_least_probability(probabilities, labels, 0.1)
    assert fit_least_probability(probabilities[order], labels[order], 0.1) == least
    sets = choose_sets(probabilities, least)
    assert np.array_equal(choose_sets(probabilities[order], least), sets[order])
    assert np.array_equal(choose_sets(probabilities[5:6], least)[0], sets[5])
    assert probabilities.sum(axis=1) == pytest.approx(1), "nothing was written to them"


@pytest.mark.parametrize(("n", "error_rate"), [(100, 0.1), (1_000, 0.1), (1_000, 0.02), (30, 0.2)])
def test_mean_coverage_over_draws_is_what_was_asked_for(n: int, error_rate: float) -> None:
    """It is at least 1 - error rate, and at most 1 / (n + 1) above, whatever the model is like.

    The coverage of one draw follows a beta distribution, which SciPy knows.
    """
    rng = np.random.default_rng(n)
    pool = draw_answers(60_000, rng)
    rounds = 2_500
    coverages = []
    for _ in range(rounds):
        few = rng.integers(0, 60_000, n)
        least = fit_least_probability(pool[0][few], pool[1][few], error_rate)
        fresh = rng.integers(0, 60_000, 400)
        right = pool[0][fresh, pool[1][fresh]]
        coverages.append((right >= least).mean())
    rank = math.ceil((n + 1) * (1 - error_rate))
    known = beta(rank, n + 1 - rank)
    assert 1 - error_rate <= known.mean() <= 1 - error_rate + 1 / (n + 1)
    noise = math.sqrt((known.var() + error_rate / 400) / rounds)
    assert np.mean(coverages) == pytest.approx(known.mean(), abs=4 * noise)


def test_equal_probabilities_cover_more_and_never_less() -> None:
    """A model of few distinct answers: all images at the least probability belong to it."""
    rng = np.random.default_rng(7)
    coverages = []
    for _ in range(500):
        draws = [draw_answers(200, rng) for _ in range(2)]
        coarse = [(np.round(p * 4) / 4, labels) for p, labels in draws]
        least = fit_least_probability(*coarse[0], 0.1)
        coverages.append(hit(*coarse[1], least).mean())
    assert np.mean(coverages) >= 0.9
    same, labels = np.full((50, 4), 0.25), rng.integers(0, 4, 50)
    assert fit_least_probability(same, labels, 0.1) == 0.25
    assert choose_sets(same, 0.25).all()


@cache
def answer_digits() -> tuple[np.ndarray, np.ndarray]:
    """What a model that was trained on 300 digits says of 1,497 others."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    train, rest = order[:300], order[300:]
    scaler = StandardScaler().fit(images[train])
    model = LogisticRegression(C=0.01, max_iter=200)
    model.fit(scaler.transform(images[train]), labels[train])
    return model.predict_proba(scaler.transform(images[rest])).astype(np.float32), labels[rest]


@pytest.mark.parametrize("error_rate", ERROR_RATES)
def test_sets_of_digits_hold_the_right_class_as_often_as_they_say(error_rate: float) -> None:
    probabilities, labels = answer_digits()
    rng = np.random.default_rng(8)
    rounds, coverages, likely, sizes = 200, [], [], []
    for _ in range(rounds):
        order = rng.permutation(len(labels))
        val, test = order[:500], order[500:]
        least = fit_least_probability(probabilities[val], labels[val], error_rate)
        coverages.append(hit(probabilities[test], labels[test], least).mean())
        likely.append((probabilities[test, labels[test]] >= least).mean())
        sizes.append(choose_sets(probabilities[test], least).sum(axis=1).mean())
    spread = 4 * math.sqrt(error_rate * (1 - error_rate) / 500 / rounds)
    assert np.mean(coverages) >= 1 - error_rate - spread
    # The most probable class, which is always there, lifts coverage above what was asked for only
    # where a model is right that often.
    assert np.mean(likely) <= 1 - error_rate + 1 / 501 + spread
    accuracy = (probabilities.argmax(axis=1) == labels).mean()
    assert np.mean(coverages) <= max(1 - error_rate, accuracy) + 0.03
    assert 1 <= np.mean(sizes) < 5


def test_the_least_probability_of_a_model_is_found_by_the_error_rate() -> None:
    assert find_least_probability(KEPT_SETS, 0.1) == 0.5
    assert find_least_probability(KEPT_SETS, 0.05) == 0.25
    for error_rate in (0.2, 0.0999, -1, math.nan):
        with pytest.raises(SettingError, match=r"error rate of .*; name 0.05 or 0.1"):
            find_least_probability(KEPT_SETS, error_rate)
    with pytest.raises(SettingError, match="the model has no prediction sets"):
        find_least_probability(None, 0.1)


def test_a_shortfall_is_judged_by_both_draws() -> None:
    """Sets that keep their promise miss it as often as simulated draws of both do."""
    rng = np.random.default_rng(0)
    n, m, rate = 199, 400, 0.1
    right = np.sort(rng.random((4_000, n)), axis=1)[:, ::-1]
    least = right[:, math.ceil((n + 1) * (1 - rate)) - 1]
    covered = (rng.random((4_000, m)) >= least[:, None]).mean(axis=1)
    seen = 0.85
    found = SetCoverage(error_rate=rate, coverage=seen, interval=(0.8, 0.9), mean_size=1.0, n=m)
    assert judge_shortfall(found, n) == pytest.approx((covered <= seen).mean(), abs=0.015)
    assert judge_shortfall(found, 5) == 1.0, "so few images promise nothing but all classes"
