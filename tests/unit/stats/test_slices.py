from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from smallvision.records.schema import SliceBin
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.slices import bin_accuracy, compare_bins, say_slice


def bins_of(*counts: tuple[int, int]) -> list[SliceBin]:
    """Bins from (errors, images)."""
    return [
        SliceBin(low=i, high=i + 0.5, n=n, accuracy=(n - k) / n, interval=(0.0, 1.0))
        for i, (k, n) in enumerate(counts)
    ]


def test_bins_of_equal_count() -> None:
    values = np.random.default_rng(0).permutation(np.arange(100.0))
    bins = bin_accuracy(values, values >= 30)
    assert [(part.low, part.high, part.n) for part in bins] == [
        (0, 19, 20), (20, 39, 20), (40, 59, 20), (60, 79, 20), (80, 99, 20),
    ]  # fmt: skip
    assert [part.accuracy for part in bins] == [0, 0.5, 1, 1, 1]
    assert bins[1].interval == wilson_interval(10, 20)


def test_equal_values_share_a_bin() -> None:
    values = np.array([0.0] * 70 + [1.0] * 30)
    bins = bin_accuracy(values, np.ones(100, dtype=bool))
    assert [(part.low, part.high, part.n) for part in bins] == [(0, 0, 70), (1, 1, 30)]
    assert len(bin_accuracy(np.zeros(9), np.ones(9, dtype=bool))) == 1


def test_agrees_with_scipy() -> None:
    errors, sizes = [50, 60, 70, 45, 80], [400] * 5
    expected = chi2_contingency([errors, np.subtract(sizes, errors)], correction=False).pvalue
    assert compare_bins(bins_of(*zip(errors, sizes, strict=True))) == pytest.approx(expected)


def test_few_errors_by_hand() -> None:
    """Three bins of ten images with 4, 0 and 0 errors: all tables enumerated."""
    tables = [t for t in product(range(5), repeat=3) if sum(t) == 4]
    chance = [np.prod([comb(10, k) for k in t]) / comb(30, 4) for t in tables]
    exact = sum(p for t, p in zip(tables, chance, strict=True) if 4 in t)
    assert compare_bins(bins_of((4, 10), (0, 10), (0, 10))) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("errors", [0, 10])
def test_no_error_or_no_hit_is_no_difference(errors: int) -> None:
    assert compare_bins(bins_of((errors, 10), (errors, 10))) == 1.0
    assert compare_bins(bins_of((3, 10))) == 1.0


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_false_alarms_are_as_rare_as_promised(rate: float) -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        errors = rng.binomial(60, rate, 5)
        alarms += compare_bins(bins_of(*((int(k), 60) for k in errors))) < 0.05
    assert alarms / 200 < 0.1


def test_sentences_name_both_ends() -> None:
    words = {"low": "darkest", "high": "brightest", "looks": 3}
    five = bins_of((19, 100), (15, 100), (12, 100), (14, 100), (13, 100))
    assert say_slice("brightness", five, 0.0004, **words) == (
        "Accuracy runs from 81.0 % in the darkest fifth to 88.0 % in the middle fifth: "
        "a difference beyond chance (p under 0.001, corrected for 3 properties)."
    )
    assert "no difference beyond chance (p = 0.32" in say_slice("brightness", five, 0.32, **words)
    three = say_slice("brightness", bins_of((9, 100), (5, 100), (2, 100)), 0.02, **words)
    assert "91.0 % in the darkest of 3 groups to 98.0 % in the brightest of 3 groups" in three
    two = say_slice("brightness", bins_of((5, 100), (5, 100)), 1.0, **words)
    assert two == "Accuracy is the same at every brightness, 95.0 %."
    assert say_slice("brightness", bins_of((5, 100)), 1.0, **words) == (
        "All images have the same brightness."
    )
