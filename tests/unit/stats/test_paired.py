import numpy as np
import pytest
from scipy.stats import binomtest

from smallvision.stats.paired import compare_paired, difference_interval, needed_images


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, True, False, False], [both, only_a, only_b, neither])
    b = np.repeat([True, False, True, False], [both, only_a, only_b, neither])
    return a, b


def test_exact_mcnemar_known_answer() -> None:
    # 10 against 2 discordant answers: 2 * P(X <= 2) for Binomial(12, 1/2) = 2 * 79 / 4096.
    comparison = compare_paired(*answers(50, 10, 2, 8))
    assert comparison.p == pytest.approx(2 * 79 / 4096)
    assert comparison.verdict == "better"
    assert comparison.difference == pytest.approx(8 / 70)


def test_identical_answers_cannot_be_told_apart() -> None:
    comparison = compare_paired(*answers(50, 0, 0, 5))
    assert comparison.p == 1.0
    assert comparison.verdict == "cannot tell apart"
    assert comparison.interval == pytest.approx((-3.7 / 55, 3.7 / 55), rel=0.05)
    assert comparison.needed_n is None


def test_is_antisymmetric() -> None:
    a, b = answers(100, 30, 12, 9)
    forward, backward = compare_paired(a, b), compare_paired(b, a)
    assert forward.difference == -backward.difference
    assert forward.interval == pytest.approx(tuple(-x for x in backward.interval[::-1]))
    assert {forward.verdict, backward.verdict} == {"better", "worse"}


@pytest.mark.parametrize("only_a", range(0, 40, 3))
@pytest.mark.parametrize("only_b", range(0, 40, 3))
def test_interval_holds_zero_exactly_where_the_test_cannot_tell(only_a: int, only_b: int) -> None:
    low, high = difference_interval(only_a, only_b, 500)
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert (low < 0 < high) == (p >= 0.05)
    assert low <= (only_a - only_b) / 500 <= high


@pytest.mark.parametrize(
    ("n", "p_a", "p_b"),
    [
        (400, 0.06, 0.03),
        (400, 0.05, 0.05),
        (400, 0.002, 0.01),
        (400, 0.1, 0.01),
        (10_000, 0.1, 0.01),
        (10_000, 0.3, 0.02),
        (10_000, 0.02, 0.018),
    ],
)
def test_interval_covers_the_truth(n: int, p_a: float, p_b: float) -> None:
    """About 95 % of the intervals hold the true difference, of close models and of unlike ones."""
    rng = np.random.default_rng(0)
    hits = 0
    for only_a, only_b, _ in rng.multinomial(n, [p_a, p_b, 1 - p_a - p_b], size=300):
        low, high = difference_interval(int(only_a), int(only_b), n)
        hits += low <= p_a - p_b <= high
    assert hits / 300 > 0.93


def test_needed_images_reaches_its_power() -> None:
    n = needed_images(0.06, 0.03)
    assert n is not None
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(300):
        a, b, _ = rng.multinomial(n, [0.06, 0.03, 0.91])
        found += binomtest(int(a), int(a + b)).pvalue < 0.05
    assert 0.70 < found / 300 < 0.90


@pytest.mark.parametrize(("only_a", "only_b", "says"), [(3, 2, False), (4, 2, True)])
def test_a_handful_of_discordant_images_says_nothing_of_how_many_it_would_take(
    only_a: int, only_b: int, says: bool
) -> None:
    comparison = compare_paired(*answers(280, only_a, only_b, 2))
    assert (comparison.needed_n is not None) == says


def test_no_number_of_images_would_do_beyond_all_there_are() -> None:
    assert needed_images(0.5, 0.5 + 1e-7) is None
    assert needed_images(0.5, 0.5) is None


def test_refuses_other_shapes() -> None:
    with pytest.raises(ValueError, match="equal"):
        compare_paired(np.array([True]), np.array([True, False]))
