"""Intervals and comparisons of cross-validation: what they are, and how often they hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t

from smallvision.stats.folds import (
    compare_folds,
    corrected_error,
    fold_interval,
    needed_for_folds,
)
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.paired import compare_paired

FOLDS = np.repeat(np.arange(1, 6), 40)


def answer(*hits: int) -> np.ndarray:
    """Answers to 40 images a fold, of which so many are right."""
    return np.concatenate([np.arange(40) < right for right in hits])


def test_the_corrected_error_is_that_of_nadeau_and_bengio() -> None:
    values = [0.7, 0.8, 0.75, 0.9, 0.85]
    variance = sum((value - 0.8) ** 2 for value in values) / 4
    assert corrected_error(values, 5) == pytest.approx(math.sqrt((1 / 5 + 1 / 4) * variance))


def test_folds_that_agree_leave_the_interval_to_the_images() -> None:
    assert fold_interval(answer(30, 30, 30, 30, 30), FOLDS, 5) == wilson_interval(150, 200)
    one = FOLDS == 1
    assert fold_interval(answer(30, 0, 0, 0, 0)[one], FOLDS[one], 5) == wilson_interval(30, 40)


def test_folds_that_differ_widen_the_interval() -> None:
    correct = answer(20, 24, 28, 32, 36)
    half = t.ppf(0.975, 4) * corrected_error([0.5, 0.6, 0.7, 0.8, 0.9], 5)
    assert fold_interval(correct, FOLDS, 5) == pytest.approx((0.7 - half, 0.7 + half))
    assert half > 0.25


def test_an_interval_is_of_fractions() -> None:
    assert fold_interval(answer(40, 40, 0, 0, 40), FOLDS, 5) == (0.0, 1.0)


def draw_accuracy(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Answers of five networks whose true accuracies scatter around 0.8."""
    true = np.clip(0.8 + spread * rng.normal(size=5), 0, 1)
    return rng.random(200) < np.repeat(true, 40)


@pytest.mark.parametrize("spread", [0.0, 0.03, 0.06, 0.12])
def test_the_interval_covers_the_expected_accuracy(spread: float) -> None:
    """Wilson's alone covers too seldom as soon as networks differ."""
    rng = np.random.default_rng(0)
    covered, wilson = 0, 0
    for _ in range(300):
        correct = draw_accuracy(rng, spread)
        low, high = fold_interval(correct, FOLDS, 5)
        covered += low <= 0.8 <= high
        low, high = wilson_interval(int(correct.sum()), 200)
        wilson += low <= 0.8 <= high
    assert covered / 300 > 0.94
    if spread == 0.12:
        assert wilson / 300 < 0.75


def test_equal_recipes_are_seldom_told_apart() -> None:
    """McNemar's test alone takes the chance of ten networks for a difference of recipes."""
    rng = np.random.default_rng(0)
    false, alone = 0, 0
    for _ in range(200):
        a, b = draw_accuracy(rng, 0.08), draw_accuracy(rng, 0.08)
        false += compare_folds(a, b, FOLDS, 5).p < 0.05
        alone += compare_paired(a, b).p < 0.05
    assert false / 200 < 0.06
    assert alone / 200 > 0.1


def test_a_steady_difference_is_told() -> None:
    found = compare_folds(answer(36, 35, 36, 37, 36), answer(24, 24, 22, 25, 25), FOLDS, 5)
    assert (found.verdict, found.n, found.needed_n) == ("better", 200, None)
    assert found.interval[0] > 0


def test_a_difference_in_one_fold_is_not_told() -> None:
    """All of it in one fold: McNemar's test is sure, the folds are not."""
    a, b = answer(40, 30, 30, 30, 30), answer(20, 30, 30, 30, 30)
    assert compare_paired(a, b).verdict == "better"
    found = compare_folds(a, b, FOLDS, 5)
    assert found.verdict == "cannot tell apart"
    assert found.interval[0] < 0 < found.interval[1]
    assert found.needed_n is not None
    assert found.needed_n > 200


def test_the_interval_excludes_zero_just_where_the_test_does() -> None:
    rng = np.random.default_rng(1)
    verdicts = set()
    for _ in range(100):
        a, b = draw_accuracy(rng, 0.1), draw_accuracy(rng, 0.1) & (rng.random(200) < 0.8)
        found = compare_folds(a, b, FOLDS, 5)
        low, high = found.interval
        assert (found.p < 0.05) == (low > 0 or high < 0)
        assert -1 <= low <= found.difference <= high <= 1
        verdicts.add(found.verdict)
    assert verdicts == {"better", "cannot tell apart"}


def test_without_a_second_fold_the_images_decide() -> None:
    one = FOLDS == 1
    a, b = answer(36, 0, 0, 0, 0)[one], answer(20, 0, 0, 0, 0)[one]
    assert compare_folds(a, b, FOLDS[one], 5) == compare_paired(a, b)


def test_equal_answers_need_no_number() -> None:
    a = answer(30, 31, 32, 33, 34)
    assert compare_folds(a, a, FOLDS, 5).needed_n is None
    assert needed_for_folds(a, a, FOLDS, 5, level=0.05) is None


def test_a_stricter_level_needs_more_images() -> None:
    a, b = answer(33, 30, 31, 30, 30), answer(30, 30, 30, 30, 30)
    few, many = (needed_for_folds(a, b, FOLDS, 5, level=level) for level in (0.05, 0.01))
    assert few is not None
    assert many is not None
    assert 200 < few < many
