"""What sets hold and how many images are called unlike, counted by hand."""

from __future__ import annotations

import numpy as np

from smallvision.records.schema import PredictionSetsRecord, UnlikeRecord
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.probabilities.coverage import measure_coverage, measure_unlike

PROBABILITIES = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8]])
LABELS = np.array([1, 1, 2, 2])


def test_coverage_by_hand() -> None:
    sets = PredictionSetsRecord(error_rates=(0.05, 0.2), least_probabilities=(0.3, 0.65), n=9)
    low, high = measure_coverage(PROBABILITIES, LABELS, sets)
    assert (low.error_rate, low.coverage, low.mean_size, low.n) == (0.05, 0.75, 1.5, 4)
    assert low.interval == wilson_interval(3, 4)
    assert (high.error_rate, high.coverage, high.mean_size) == (0.2, 0.5, 1.0)


def test_a_model_without_sets_has_no_coverage() -> None:
    assert measure_coverage(PROBABILITIES, LABELS, None) == ()


def test_unlike_images_are_those_beyond_the_limit() -> None:
    energies = np.array([-5.0, -2.0, -1.0, -0.5], np.float32)
    found = measure_unlike(energies, UnlikeRecord(limit=-1.0, n=9))
    assert found is not None
    assert (found.share, found.interval, found.n) == (0.25, wilson_interval(1, 4), 4)
    assert measure_unlike(energies, None) is None
