"""Which networks to average: answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from smallvision.stats.greedy_selection import (
    SELECTIONS,
    measure_disagreement,
    select_greedy,
    trace_gains,
)

LABELS = np.zeros(4, dtype=np.int64)


def stack(*rows: list[float]) -> np.ndarray:
    """`(M, N, 2)` from each network's probability of class 0, which is always the right one."""
    right = np.array(rows)
    return np.stack([right, 1 - right], axis=2)


# The first is right on three images of four. The second repeats its mistake. The third is right
# on two, but sure where the first fails: only with it is the mean right everywhere.
BEST = [0.9, 0.9, 0.9, 0.4]
ALIKE = [0.8, 0.8, 0.8, 0.1]
OTHER = [0.2, 0.2, 0.6, 0.9]


def test_greedy_prefers_a_weak_member_that_mends_a_mistake() -> None:
    probabilities = stack(ALIKE, BEST, OTHER)
    assert select_greedy(probabilities, LABELS, 3) == [1, 2]
    assert select_greedy(probabilities, LABELS, 2) == [1, 2]
    assert select_greedy(probabilities, LABELS, 1) == [1]


def test_greedy_breaks_ties_of_accuracy_by_log_loss() -> None:
    unsure, sure = [0.6, 0.6, 0.6, 0.2], [0.9, 0.9, 0.9, 0.2]
    assert select_greedy(stack(unsure, sure), LABELS, 2)[0] == 1
    # The same answers; the mean with the bold one is worse where both are wrong.
    timid = [0.9, 0.9, 0.9, 0.45]
    bold = [0.95, 0.95, 0.95, 0.05]
    assert select_greedy(stack(bold, timid), LABELS, 2) == [1]
    # Each unsure of another image: the answers stay, the mean of both is surer than either.
    one, other = [0.9, 0.6, 0.9, 0.45], [0.6, 0.9, 0.9, 0.45]
    assert select_greedy(stack(one, other), LABELS, 2) == [0, 1]


def test_greedy_takes_no_network_twice() -> None:
    assert select_greedy(stack(BEST, BEST, BEST), LABELS, 3) == [0]


def test_last_and_all() -> None:
    probabilities = stack(ALIKE, BEST, OTHER)
    assert SELECTIONS["last"](probabilities, LABELS, 2) == [2, 1]
    assert SELECTIONS["last"](probabilities, LABELS, 9) == [2, 1, 0]
    assert SELECTIONS["all"](probabilities, LABELS, 2) == [2, 1, 0]


def test_gains_are_those_of_the_mean() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 60)
    probabilities = rng.dirichlet(np.ones(5), (4, 60))
    steps = trace_gains(probabilities, labels)
    assert [step.members for step in steps] == [1, 2, 3, 4]
    for step in steps:
        mean = probabilities[: step.members].mean(axis=0)
        assert step.accuracy == accuracy_score(labels, mean.argmax(axis=1))
        assert step.loss == pytest.approx(log_loss(labels, mean, labels=range(5)))
    assert steps[0].gain == 0
    assert sum(step.gain for step in steps) == pytest.approx(steps[3].accuracy - steps[0].accuracy)


def test_gains_by_hand() -> None:
    steps = trace_gains(stack(BEST, OTHER), LABELS)
    assert [(step.accuracy, step.gain) for step in steps] == [(0.75, 0.0), (1.0, 0.25)]


def test_disagreement_by_hand() -> None:
    expected = [[0, 0, 0.75], [0, 0, 0.75], [0.75, 0.75, 0]]
    assert measure_disagreement(stack(ALIKE, BEST, OTHER)).tolist() == expected


def test_greedy_chooses_by_the_metric_that_is_asked_for() -> None:
    """One network is right on all images of the large class, another on most of both."""
    labels = np.array([0] * 8 + [1] * 2)
    large = np.array([0.9] * 10)  # of class 0: 8 of 10 right, of class 1 none
    both = np.array([0.9] * 5 + [0.1] * 5)  # 7 of 10 right, of class 1 all
    probabilities = np.stack([np.stack([one, 1 - one], axis=1) for one in (large, both)])
    assert select_greedy(probabilities, labels, 1) == [0]
    for metric in ("balanced_accuracy", "macro_f1"):
        assert select_greedy(probabilities, labels, 1, metric) == [1]
