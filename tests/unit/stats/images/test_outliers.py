"""Modified z-scores."""

import numpy as np
import pytest

from smallvision.stats.images.outliers import BEYOND, score_outliers


def test_an_outlier_does_not_hide_itself() -> None:
    values = np.array([10.0, 11, 12, 13, 14, 1000])
    scores = score_outliers(values)
    assert (np.abs(scores) > BEYOND).tolist() == [False] * 5 + [True]
    # The usual z-score of it is but 2.2.
    assert (values[-1] - values.mean()) / values.std() < BEYOND


def test_scores_of_a_normal_sample_are_its_z_scores() -> None:
    sample = np.random.default_rng(0).normal(3, 2, 20_001)
    assert score_outliers(sample) == pytest.approx((sample - 3) / 2, abs=0.1)


def test_values_that_are_mostly_equal_have_no_outliers() -> None:
    assert not score_outliers(np.array([1.0, 1, 1, 5])).any()
