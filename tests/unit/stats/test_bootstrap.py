import time

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from smallvision.stats.bootstrap import bootstrap_choice, bootstrap_difference
from tests.support.answers import draw_answers


def test_one_run_a_side_is_a_binomial_when_only_one_is_ever_right() -> None:
    a = np.arange(400) < 100
    low, high = bootstrap_difference(a, np.zeros(400, dtype=bool), resamples=20_000)
    expected = binom(400, 0.25).ppf([0.025, 0.975]) / 400
    assert (low, high) == pytest.approx(tuple(expected), abs=1 / 400)


def test_is_seeded_and_antisymmetric() -> None:
    a, b = draw_answers(np.random.default_rng(0), 3, 300, 0.5, 0.2)
    low, high = bootstrap_difference(a, b, resamples=20_000)
    assert bootstrap_difference(a, b, resamples=20_000) == (low, high)
    back = bootstrap_difference(b, a, resamples=20_000)
    assert (-back[1], -back[0]) == pytest.approx((low, high), abs=0.003)


def test_copies_of_a_run_add_no_certainty() -> None:
    a, b = draw_answers(np.random.default_rng(1), 1, 500, 0.3, 0)
    once = bootstrap_difference(a, b, resamples=20_000)
    thrice = bootstrap_difference(np.repeat(a, 3, 0), np.repeat(b, 3, 0), resamples=20_000)
    assert thrice == pytest.approx(once, abs=0.002)


def test_equal_answers_leave_nothing_to_resample() -> None:
    assert bootstrap_difference(np.ones(9, dtype=bool), np.ones(9, dtype=bool)) == (0.0, 0.0)


@pytest.mark.parametrize(("seeds", "between_seeds"), [(1, 0.0), (3, 0.0), (3, 0.3), (5, 0.3)])
def test_covers_the_truth(seeds: int, between_seeds: float) -> None:
    """The share of 95 % intervals that hold the true difference, which a large world tells."""
    huge = np.random.default_rng(99)
    hardness, taste = huge.normal(2.0, 2.0, 200_000), huge.normal(0, 0.5, 200_000)
    luck = huge.normal(0, between_seeds, 200_000) if between_seeds else 0.0
    truth = (expit(hardness + taste + 0.3 + luck) - expit(hardness - taste + luck)).mean()
    rng, hits, worlds = np.random.default_rng(0), 0, 400
    for world in range(worlds):
        a, b = draw_answers(rng, seeds, 300, 0.3, between_seeds)
        low, high = bootstrap_difference(a, b, resamples=400, seed=world)
        hits += low <= truth <= high
    # Below: three seeds bound a spread loosely, and a bootstrap knows no t. Above: flips count
    # twice where seeds differ in nothing else.
    assert 0.91 < hits / worlds < 0.995


@pytest.mark.parametrize("seeds", [1, 10])
def test_is_quick_at_full_size(seeds: int) -> None:
    a, b = draw_answers(np.random.default_rng(0), seeds, 10_000, 0.1, 0.1)
    began = time.process_time()
    bootstrap_difference(a, b)
    assert time.process_time() - began < 1.0


def test_refuses_other_images() -> None:
    with pytest.raises(ValueError, match="same images"):
        bootstrap_difference(np.array([True]), np.array([True, False]))


def test_what_the_choice_of_a_model_adds() -> None:
    """About the true flattery of the best of eight equal models; nothing where one stands out."""
    rng, found, true = np.random.default_rng(2), [], []
    for _ in range(60):
        latent = np.sqrt(0.5) * rng.normal(0, 1, 500) + np.sqrt(0.5) * rng.normal(0, 1, (8, 500))
        scores = (latent < 1).astype(float)
        true.append(scores.mean(axis=1).max() - 0.8413)
        found.append(bootstrap_choice(scores, resamples=500))
    assert 0.6 * np.mean(true) < np.mean(found) < 1.4 * np.mean(true)
    clear = np.stack([np.arange(500) < hits for hits in (100, 400)]).astype(float)
    assert bootstrap_choice(clear) == pytest.approx(0, abs=1e-3)
    assert bootstrap_choice(clear[:1]) == 0


def test_a_choice_among_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="models by images"):
        bootstrap_choice(np.zeros((2, 0)))
