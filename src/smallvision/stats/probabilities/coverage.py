"""How what was fitted to validation images turns out: coverage of sets, share of unlike images."""

from __future__ import annotations

import numpy as np

from smallvision.records.schema import (
    PredictionSetsRecord,
    SetCoverage,
    UnlikeRecord,
    UnlikeShare,
)
from smallvision.shapes import Floats, Labels
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.probabilities.prediction_sets import choose_sets
from smallvision.stats.probabilities.unlike import find_unlike


def measure_coverage(
    probabilities: Floats, labels: Labels, sets: PredictionSetsRecord | None
) -> tuple[SetCoverage, ...]:
    """How often prediction sets hold the right class, and how large they are, for each error rate.

    Args:
        probabilities: calibrated, `(N, K)`.
        labels: `(N,)`.
        sets: of the model; None where it has none.
    """
    found = []
    for rate, least in zip(sets.error_rates, sets.least_probabilities, strict=True) if sets else ():
        chosen = choose_sets(probabilities, least)
        hits, n = int(chosen[np.arange(len(labels)), labels].sum()), len(labels)
        found.append(
            SetCoverage(
                error_rate=rate,
                coverage=hits / n,
                interval=wilson_interval(hits, n),
                mean_size=float(chosen.sum(axis=1).mean()),
                n=n,
            )
        )
    return tuple(found)


def measure_unlike(energies: Floats, unlike: UnlikeRecord | None) -> UnlikeShare | None:
    """How many images are called unlike all that the model was trained on.

    Args:
        energies: `(N,)`.
        unlike: of the model; None where it has no limit.
    """
    found = find_unlike(energies, unlike.limit if unlike else None)
    if found is None:
        return None
    count, n = int(found.sum()), len(found)
    return UnlikeShare(share=count / n, interval=wilson_interval(count, n), n=n)
