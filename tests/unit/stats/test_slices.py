from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from smallvision.records.schema import SliceBin
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.slices import (
    Ends,
    bin_accuracy,
    compare_bins,
    compare_within,
    place_values,
    say_slice,
)


def bins_of(*counts: tuple[int, int]) -> list[SliceBin]:
    """Bins from (errors, images)."""
    return [
        SliceBin(low=i, high=i + 0.5, n=n, accuracy=(n - k) / n, interval=(0.0, 1.0))
        for i, (k, n) in enumerate(counts)
    ]


def test_bins_of_equal_count() -> None:
    values = np.random.default_rng(0).permutation(np.arange(100.0))
    bins = bin_accuracy(values, values >= 30, place_values(values))
    assert [(part.low, part.high, part.n) for part in bins] == [
        (0, 19, 20), (20, 39, 20), (40, 59, 20), (60, 79, 20), (80, 99, 20),
    ]  # fmt: skip
    assert [part.accuracy for part in bins] == [0, 0.5, 1, 1, 1]
    assert bins[1].interval == wilson_interval(10, 20)


def test_equal_values_share_a_bin() -> None:
    values = np.array([0.0] * 70 + [1.0] * 30)
    bins = bin_accuracy(values, np.ones(100, dtype=bool), place_values(values))
    assert [(part.low, part.high, part.n) for part in bins] == [(0, 0, 70), (1, 1, 30)]
    assert set(place_values(np.zeros(9))) == {0}


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


def draw_images(
    rng: np.random.Generator, accuracy: dict[int, tuple[float, float]], n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of two classes, of which the first is mostly dark, with their accuracy by bin."""
    labels = rng.integers(0, 2, n)
    places = (rng.random(n) < np.where(labels == 0, 0.2, 0.8)).astype(np.int64)
    rates = np.array([accuracy[0], accuracy[1]])
    return places, rng.random(n) < rates[labels, places], labels


def test_what_classes_explain_is_no_difference_within_them() -> None:
    """Dark images are of a hard class: the pooled test sees a difference, this one does not."""
    rng = np.random.default_rng(5)
    places, correct, labels = draw_images(rng, {0: (0.6, 0.6), 1: (0.95, 0.95)}, 4_000)
    pooled = compare_bins(bin_accuracy(places.astype(float), correct, places))
    assert pooled < 1e-6
    assert compare_within(places, correct, labels) > 0.05
    places, correct, labels = draw_images(rng, {0: (0.5, 0.7), 1: (0.9, 0.97)}, 4_000)
    assert compare_within(places, correct, labels) < 1e-6


def test_within_one_class_it_is_the_test_of_all_images() -> None:
    """The Mantel-Haenszel chi-square of one table is Pearson's times (n - 1) / n."""
    rng = np.random.default_rng(6)
    places, correct = rng.integers(0, 4, 2_000), rng.random(2_000) < 0.8
    table = [np.bincount(places[correct == right], minlength=4) for right in (False, True)]
    statistic, _, df, _ = chi2_contingency(table, correction=False)
    expected = chi2.sf(statistic * 1999 / 2000, df)
    found = compare_within(places, correct, np.zeros(2_000, dtype=np.int64))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("n", "rate"), [(4_000, 0.9), (300, 0.98)])
def test_false_alarms_within_classes_are_as_rare_as_promised(n: int, rate: float) -> None:
    """Once by chi-square, and once where errors are few and tables are drawn."""
    rng = np.random.default_rng(7)
    accuracy = {0: (rate, rate), 1: (1 - (1 - rate) / 2, 1 - (1 - rate) / 2)}
    alarms = sum(compare_within(*draw_images(rng, accuracy, n)) < 0.05 for _ in range(100))
    assert alarms < 12


def test_nothing_can_be_said_within_classes_without_errors() -> None:
    places, labels = np.arange(10) % 2, np.zeros(10, dtype=np.int64)
    assert compare_within(places, np.ones(10, dtype=bool), labels) == 1.0
    assert compare_within(places * 0, labels > 0, labels) == 1.0


def test_sentences_name_both_ends() -> None:
    ends = Ends("darkest", "brightest")
    five = bins_of((19, 100), (15, 100), (12, 100), (14, 100), (13, 100))
    assert say_slice("brightness", five, 0.0004, 0.03, ends) == (
        "Accuracy runs from 81.0 % in the darkest fifth to 88.0 % in the middle fifth: "
        "a difference beyond chance (p under 0.001), also among images of one class (p = 0.030)."
    )
    assert "but none among images of one class (p = 0.40), so that it may be a matter of" in (
        say_slice("brightness", five, 0.0004, 0.4, ends)
    )
    none = say_slice("brightness", five, 0.32, 0.5, ends)
    assert "no difference beyond chance (p = 0.32), nor one among" in none
    assert "but one among" in say_slice("brightness", five, 0.32, 0.01, ends)
    three = say_slice("brightness", bins_of((9, 100), (5, 100), (2, 100)), 0.02, 0.2, ends)
    assert "91.0 % in the darkest of 3 groups to 98.0 % in the brightest of 3 groups" in three
    two = say_slice("brightness", bins_of((5, 100), (5, 100)), 1.0, 1.0, ends)
    assert two == "Accuracy is the same at every brightness, 95.0 %."
    assert say_slice("brightness", bins_of((5, 100)), 1.0, 1.0, ends) == (
        "All images have the same brightness."
    )
