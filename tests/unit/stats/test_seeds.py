import numpy as np
import pytest
from scipy import stats

from smallvision.stats.seeds import (
    Variance,
    compare_answers,
    compare_seeds,
    measure_variance,
    needed_for_seeds,
    summarize_seeds,
)
from tests.support.answers import draw_answers


def test_summary_agrees_with_scipy() -> None:
    accuracies = [0.90, 0.91, 0.9, 0.93]
    summary = summarize_seeds(accuracies)
    assert (summary.mean, summary.std) == pytest.approx((0.91, np.std(accuracies, ddof=1)))
    expected = stats.t.interval(0.95, 3, loc=0.91, scale=stats.sem(accuracies))
    assert summary.interval == pytest.approx(expected)


def test_summary_knows_its_bounds() -> None:
    assert summarize_seeds([0.5, 0.5]).interval == (0.5, 0.5)
    assert summarize_seeds([0.9, 1.0]).interval[1] == 1.0
    with pytest.raises(ValueError, match="no deviation"):
        summarize_seeds([0.9])


def test_without_images_it_is_welch() -> None:
    a, b = [0.90, 0.93, 0.91], [0.88, 0.86, 0.89, 0.9]
    welch = stats.ttest_ind(a, b, equal_var=False)
    parts = tuple((float(stats.sem(side)) ** 2, len(side) - 1) for side in (a, b))
    variance = Variance(parts, 0.0, 1000)
    assert variance.freedom == pytest.approx(welch.df)
    statistic = (np.mean(a) - np.mean(b)) / np.sqrt(variance.total)
    assert statistic == pytest.approx(welch.statistic)


def test_without_seed_noise_it_is_a_paired_t_test_over_images() -> None:
    a, b = draw_answers(np.random.default_rng(0), 1, 200, 0.5, 0)
    difference, p = compare_seeds(np.repeat(a, 2, 0), np.repeat(b, 3, 0))
    paired = stats.ttest_rel(a[0].astype(float), b[0].astype(float))
    assert p == pytest.approx(paired.pvalue)
    assert difference == pytest.approx(a.mean() - b.mean())


def test_equal_answers_are_no_evidence() -> None:
    same = np.ones((2, 5), dtype=bool)
    assert compare_seeds(same, same) == (0.0, 1.0)


@pytest.mark.parametrize(("sides", "between_seeds"), [((3, 3), 0.0), ((3, 3), 0.3), ((1, 4), 0.3)])
def test_false_alarms_stay_near_the_level(sides: tuple[int, int], between_seeds: float) -> None:
    rng, alarms, worlds = np.random.default_rng(0), 0, 600
    for _ in range(worlds):
        a, b = draw_answers(rng, max(sides), 300, 0.0, between_seeds)
        alarms += compare_seeds(a[: sides[0]], b[: sides[1]])[1] < 0.05
    assert alarms / worlds < 0.07


def test_seeds_of_one_image_set_do_not_make_its_quirks_significant() -> None:
    """Two recipes alike over all images, each with many seeds, on 40 images: no certainty."""
    rng, alarms, naive = np.random.default_rng(3), 0, 0
    for _ in range(200):
        a, b = draw_answers(rng, 20, 40, 0.0, 0.0)
        alarms += compare_seeds(a, b)[1] < 0.05
        naive += stats.ttest_ind(a.mean(axis=1), b.mean(axis=1), equal_var=False).pvalue < 0.05
    assert alarms / 200 < 0.09
    assert naive / 200 > 0.15


@pytest.mark.parametrize(("lost", "won", "says"), [(3, 2, False), (4, 3, True)])
def test_a_handful_of_discordant_images_says_nothing_of_how_many_it_would_take(
    lost: int, won: int, says: bool
) -> None:
    right = np.arange(400) < 380
    other = right.copy()
    other[:lost], other[390 : 390 + won] = False, True
    found = compare_answers(np.stack([other, other]), np.stack([right, right]))
    assert (found.needed_n is not None) == says


def test_needed_images() -> None:
    # z at the 5 % level and a power of 80 %: 1.960 + 0.842; n = 0.1 / (0.01 / 2.802)².
    assert needed_for_seeds(0.01, Variance((), 0.1, 1000), level=0.05) == pytest.approx(7849, abs=2)
    assert needed_for_seeds(0.01, Variance(((1e-4, 2),), 0.1, 1000), level=0.05) is None
    assert needed_for_seeds(0.0, Variance((), 0.1, 1000), level=0.05) is None
    assert needed_for_seeds(1e-9, Variance((), 0.1, 1000), level=0.05) is None, "beyond 10^12"


def test_single_runs_are_compared_as_networks() -> None:
    a, b = draw_answers(np.random.default_rng(0), 1, 200, 0.5, 0)
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    exact = stats.binomtest(only_a, only_a + only_b).pvalue
    assert compare_seeds(a, b) == pytest.approx(((only_a - only_b) / 200, exact))


def test_single_runs_tell_no_variance_of_seeds() -> None:
    one = np.ones((1, 5), dtype=bool)
    with pytest.raises(ValueError, match="expected seeds"):
        measure_variance(one, one)
