"""Logits of members against torch's and SciPy's own functions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from smallvision.stats.probabilities.logits import pool_members, scale_logits, sum_exponents


def draw_logits(*shape: int, scale: float = 3.0) -> np.ndarray:
    return (scale * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
def test_probabilities_are_scipys_softmax(temperature: float) -> None:
    logits = draw_logits(4, 50, 10)
    found = scale_logits(logits, temperature)
    assert found.dtype == np.float32
    assert np.allclose(found, softmax(logits.astype(np.float64) / temperature, axis=2), atol=1e-6)


def test_sums_of_exponentials_are_scipys() -> None:
    logits = draw_logits(3, 50, 10)
    for axis in range(3):
        assert np.allclose(
            sum_exponents(logits, axis), logsumexp(logits.astype(np.float64), axis=axis), atol=1e-5
        )


def test_large_logits_neither_overflow_nor_vanish() -> None:
    logits = np.array([[[3e4, 0.0]], [[-3e4, -3e4]]], np.float32)
    assert sum_exponents(logits, 2)[:, 0].tolist() == pytest.approx([3e4, -3e4 + np.log(2)])
    assert scale_logits(logits, 1.0)[:, 0].tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_several_members_answer_with_their_mean_probability() -> None:
    members = draw_logits(5, 40, 7)
    pooled = pool_members(members)
    assert np.allclose(softmax(pooled, axis=1), softmax(members, axis=2).mean(axis=0), atol=1e-6)
    assert np.allclose(logsumexp(pooled, axis=1), 0, atol=1e-5), "they are log probabilities"
    assert pooled.dtype == np.float32


def test_a_single_member_speaks_for_itself() -> None:
    members = draw_logits(1, 40, 7)
    assert np.array_equal(pool_members(members), members[0])


def test_the_order_of_members_does_not_matter() -> None:
    members = draw_logits(5, 40, 7)
    assert np.allclose(pool_members(members), pool_members(members[::-1]), atol=1e-6)


@pytest.mark.parametrize("count", [1, 4])
def test_an_image_is_pooled_by_itself(count: int) -> None:
    members = draw_logits(count, 40, 7)
    order = np.random.default_rng(1).permutation(40)
    assert np.array_equal(pool_members(members[:, order]), pool_members(members)[order])
    assert np.array_equal(pool_members(members[:, :1]), pool_members(members)[:1])
