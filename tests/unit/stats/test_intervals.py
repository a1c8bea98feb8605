import numpy as np
import pytest
from scipy.stats import binomtest

from smallvision.stats.intervals import wilson_interval


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (5, 10), (81, 263), (9_432, 10_000), (7, 7)])
def test_agrees_with_scipy(successes: int, n: int) -> None:
    expected = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_interval(successes, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_textbook_value() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_covers_the_truth_as_often_as_it_says() -> None:
    """Over true rates drawn evenly, Wilson's coverage averages 95 %; Wald's would miss at 92 %."""
    rng = np.random.default_rng(0)
    n, truth = 40, rng.random(20_000)
    low, high = np.array([wilson_interval(hits, n) for hits in range(n + 1)]).T
    hits = rng.binomial(n, truth)
    assert np.mean((low[hits] <= truth) & (truth <= high[hits])) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_refuses_impossible_counts(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="no rate"):
        wilson_interval(successes, n)
