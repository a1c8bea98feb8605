"""Verdicts in words, and the choice of the winner."""

from __future__ import annotations

import numpy as np
import pytest

from smallvision.comparison.verdicts import phrase, round_up
from smallvision.errors import SettingError
from smallvision.stats import compare_paired
from smallvision.study.plan import Limits


def answers(both: int, only_a: int, only_b: int) -> tuple[np.ndarray, np.ndarray]:
    a = np.repeat([True, True, False], [both, only_a, only_b])
    b = np.repeat([True, False, True], [both, only_a, only_b])
    return a, b


def test_better_says_by_how_much_and_on_what_evidence() -> None:
    sentence = phrase(compare_paired(*answers(900, 80, 20)), "wrn", "vgg10", gap_change=-0.05)
    assert sentence.startswith("wrn is better than vgg10 by 6.0 points (95 % interval +")
    assert "p under 0.001" in sentence
    assert sentence.endswith("The gap to training closed by 5.0 points.")


def test_cannot_tell_apart_says_what_it_would_take() -> None:
    sentence = phrase(compare_paired(*answers(900, 55, 45)), "a", "b", gap_change=0.0)
    assert "which may be chance" in sentence
    assert "cannot tell apart on 1,000 images: it would take about 7,900." in sentence


def test_equal_models() -> None:
    sentence = phrase(compare_paired(*answers(90, 5, 5)), "a", "b", gap_change=0.0)
    assert sentence == "a and b are right equally often; cannot tell apart on 100 images."


@pytest.mark.parametrize(("n", "rounded"), [(7, 7), (99, 99), (101, 110), (7_841, 7_900)])
def test_sample_sizes_are_rounded_up(n: int, rounded: int) -> None:
    assert round_up(n) == rounded


def test_limits_decide_who_may_win() -> None:
    status = {"gap": 0.05, "parameters": 1000, "latency_seconds": 0.01}
    assert Limits().allow(status)
    assert not Limits(gap=0.04).allow(status)
    assert not Limits(parameters=999).allow(status)
    assert not Limits(latency_seconds=0.001).allow(status)
    assert Limits(gap=None).allow({**status, "gap": 1.0})


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), -0.1])
def test_limits_are_numbers(limit: float) -> None:
    with pytest.raises(SettingError, match="limit on gap"):
        Limits(gap=limit)
