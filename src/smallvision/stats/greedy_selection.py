"""Which networks to average, judged by what they say about labelled images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from smallvision.records.schema import EnsembleStep, MetricName
from smallvision.shapes import Floats, Labels
from smallvision.stats.rates import log_loss, measure_score


def rank(
    probabilities: Floats, labels: Labels, metric: MetricName = "accuracy"
) -> tuple[float, float]:
    """The figure that is chosen by, then negative log loss: more is better."""
    score = measure_score(probabilities.argmax(axis=1), labels, metric)
    return score, -log_loss(probabilities, labels)


def select_greedy(
    probabilities: Floats, labels: Labels, limit: int, metric: MetricName = "accuracy"
) -> list[int]:
    """Start with the best network; add the one that helps the mean most, while one helps.

    Args:
        probabilities: `(M, N, K)` of M candidates.
        labels: `(N,)`.
        limit: most members, at least 1.
        metric: the figure to choose by.

    Returns: the chosen candidates in order of choice, at least one. It stops before a member that
        improves neither the mean's figure nor, at the same figure, its log loss.

    Source: Caruana et al., Ensemble selection from libraries of models, ICML 2004; without
        replacement and without bagging, so that every member counts once.
    """
    chosen: list[int] = []
    total = np.zeros(probabilities.shape[1:])
    best = (-np.inf, -np.inf)
    while len(chosen) < min(limit, len(probabilities)):
        ranks = {
            m: rank((total + probabilities[m]) / (len(chosen) + 1), labels, metric)
            for m in range(len(probabilities))
            if m not in chosen
        }
        m = max(ranks, key=lambda m: ranks[m])
        if ranks[m] <= best:
            break
        best = ranks[m]
        total += probabilities[m]
        chosen.append(m)
    return chosen


def select_last(
    probabilities: Floats,
    labels: Labels,
    limit: int,
    metric: MetricName = "accuracy",
) -> list[int]:
    """The last candidates, latest first; arguments as for `select_greedy`."""
    return select_all(probabilities, labels, limit, metric)[:limit]


def select_all(
    probabilities: Floats,
    labels: Labels,  # noqa: ARG001
    limit: int,  # noqa: ARG001
    metric: MetricName = "accuracy",  # noqa: ARG001
) -> list[int]:
    """All candidates, latest first; arguments as for `select_greedy`, and no limit."""
    return list(range(len(probabilities)))[::-1]


SELECTIONS: dict[str, Callable[[Floats, Labels, int, MetricName], list[int]]] = {
    "greedy": select_greedy,
    "last": select_last,
    "all": select_all,
}


def trace_gains(probabilities: Floats, labels: Labels) -> list[EnsembleStep]:
    """What each member adds, in the order given, from `(M, N, K)` and `(N,)`."""
    steps: list[EnsembleStep] = []
    total = np.zeros(probabilities.shape[1:])
    for count, member in enumerate(probabilities, start=1):
        total += member
        accuracy, negative_loss = rank(total / count, labels)
        gain = accuracy - steps[-1].accuracy if steps else 0.0
        steps.append(EnsembleStep(members=count, accuracy=accuracy, loss=-negative_loss, gain=gain))
    return steps


def measure_disagreement(probabilities: Floats) -> Floats:
    """Share of images that each pair of members answers differently, `(M, M)` of `(M, N, K)`."""
    answers = probabilities.argmax(axis=2)
    return np.asarray((answers[:, None] != answers[None]).mean(axis=2))
