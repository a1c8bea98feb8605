"""Two models compared with every class counted alike."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.shapes import Labels
from smallvision.stats import bootstrap
from smallvision.stats.bootstrap import Answers, compare_class_means
from smallvision.stats.rates import average_classes

LABELS = np.repeat([0, 1, 2], [300, 60, 20])


def answer(shares: tuple[float, float, float], seed: int) -> Labels:
    """Answers that are right on this share of each class, and else name the next class."""
    right = np.random.default_rng(seed).random(len(LABELS)) < np.array(shares)[LABELS]
    return np.where(right, LABELS, (LABELS + 1) % 3)


def test_the_difference_is_that_of_the_means() -> None:
    ours, theirs = answer((0.9, 0.8, 0.7), 0), answer((0.9, 0.5, 0.3), 1)
    found = compare_class_means(Answers(ours[None], LABELS), Answers(theirs[None], LABELS))
    a, b = average_classes(ours, LABELS), average_classes(theirs, LABELS)
    assert found.balanced_accuracy == pytest.approx(a.balanced_accuracy - b.balanced_accuracy)
    assert found.macro_f1 == pytest.approx(a.macro_f1 - b.macro_f1)
    for metric in ("balanced_accuracy", "macro_f1"):
        difference, (low, high) = found.estimate(metric)
        assert 0 < low < difference < high


def test_the_interval_is_as_wide_as_the_small_classes_make_it() -> None:
    """The standard error by hand, for a difference that lies in the class of 20 images alone."""
    theirs = LABELS.copy()
    theirs[-10:] = 0
    found = compare_class_means(Answers(LABELS[None], LABELS), Answers(theirs[None], LABELS))
    low, high = found.balanced_accuracy_interval
    error = np.sqrt(0.5 * 0.5 / 20) / 3
    assert found.balanced_accuracy == pytest.approx(0.5 / 3)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_equal_answers_do_not_differ() -> None:
    one = Answers(answer((0.9, 0.5, 0.3), 0)[None], LABELS)
    found = compare_class_means(one, one)
    assert (found.balanced_accuracy, found.balanced_accuracy_interval) == (0, (0, 0))
    assert (found.macro_f1, found.macro_f1_interval) == (0, (0, 0))


def test_several_seeds_count_by_their_mean() -> None:
    seeds = np.stack([answer((0.9, 0.8, 0.7), seed) for seed in range(3)])
    other = answer((0.9, 0.5, 0.3), 9)
    found = compare_class_means(Answers(seeds, LABELS), Answers(other[None], LABELS))
    mean = np.mean([average_classes(one, LABELS).balanced_accuracy for one in seeds])
    expected = mean - average_classes(other, LABELS).balanced_accuracy
    assert found.balanced_accuracy == pytest.approx(expected)


def test_resamples_are_drawn_in_parts_where_there_are_many_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = answer((0.9, 0.8, 0.7), 0), answer((0.9, 0.5, 0.3), 1)
    sides = Answers(ours[None], LABELS), Answers(theirs[None], LABELS)
    whole = compare_class_means(*sides)
    monkeypatch.setattr(bootstrap, "MOST_CELLS", 30)
    parts = compare_class_means(*sides)
    assert parts.macro_f1 == whole.macro_f1
    assert parts.macro_f1_interval == pytest.approx(whole.macro_f1_interval, abs=0.03)


def test_other_images_are_refused() -> None:
    one = Answers(LABELS[None], LABELS)
    with pytest.raises(ValueError, match="same images"):
        compare_class_means(one, Answers(LABELS[None], (LABELS + 1) % 3))
