"""Verdicts on two runs: the figures they rest on, and the words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision.comparison.verdicts import (
    ComparedModel,
    compare_runs,
    describe_comparison,
    describe_gap,
    judge_pair,
    round_up,
)
from smallvision.errors import RecordError
from smallvision.recipes import parse_recipe
from smallvision.stats.paired import Correct, compare_paired
from tests.support.comparisons import write_finished_run


def answers(both: int, only_a: int, only_b: int) -> tuple[Correct, Correct]:
    a = np.repeat([True, True, False], [both, only_a, only_b])
    b = np.repeat([True, False, True], [both, only_a, only_b])
    return a, b


def make_compared(name: str, gap: float = 0.0, caveats: tuple[str, ...] = ()) -> ComparedModel:
    return ComparedModel(name, gap, 1.0, 10, 0.1, caveats)


def test_better_says_by_how_much_and_on_what_evidence() -> None:
    sentence = describe_comparison(compare_paired(*answers(900, 80, 20)), "wrn", "vgg10")
    assert sentence.startswith("wrn is better than vgg10 by 6.0 points (95 % interval +")
    assert "p under 0.001" in sentence


def test_cannot_tell_apart_says_what_it_would_take() -> None:
    sentence = describe_comparison(compare_paired(*answers(900, 55, 45)), "a", "b")
    assert "which may be chance" in sentence
    assert "cannot tell apart on 1,000 images: it would take about 7,900." in sentence


def test_equal_models() -> None:
    sentence = describe_comparison(compare_paired(*answers(90, 5, 5)), "a", "b")
    assert sentence == "a and b are right equally often; cannot tell apart on 100 images."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (-0.05, "The gap to training closed by 5.0 points."),
        (0.05, "The gap to training widened by 5.0 points."),
        (0.009, None),
    ],
)
def test_a_gap_is_told_where_it_changed(change: float, said: str | None) -> None:
    assert describe_gap(change) == ([said] if said else [])


def test_a_verdict_tells_the_gap_and_every_caveat() -> None:
    model = make_compared("wrn", gap=0.05, caveats=("Settings were chosen.",))
    other = make_compared("vgg10", gap=0.1, caveats=("Members were chosen.",))
    verdict = judge_pair(*answers(900, 80, 20), model, other)
    assert (verdict.rung, verdict.against, verdict.verdict) == ("wrn", "vgg10", "better")
    assert verdict.gap_change == pytest.approx(-0.05)
    assert verdict.is_of_single_runs
    end = "The gap to training closed by 5.0 points. Settings were chosen. Members were chosen."
    assert verdict.sentence.endswith(end)


def test_a_verdict_over_seeds_says_so() -> None:
    a, b = answers(900, 80, 20)
    verdict = judge_pair(
        np.stack([a, a[::-1]]), np.stack([b]), make_compared("a"), make_compared("b")
    )
    assert verdict.seeds == (2, 1)
    assert not verdict.is_of_single_runs
    assert "over 2 and 1 seeds" in verdict.sentence


def test_a_verdict_has_its_bootstrap_and_its_latency(tmp_path: Path) -> None:
    rng, recipe = np.random.default_rng(0), parse_recipe({})
    run, slow = (
        write_finished_run(tmp_path / name, rng.permutation(400) < right, recipe, **changes)
        for name, right, changes in (
            ("run", 360, {"latency_seconds": 0.1}),
            ("slow", 240, {"latency_seconds": 0.4, "seconds": 2.0, "search_seconds": 6.0}),
        )
    )
    verdict = compare_runs(run, slow)
    assert verdict.latency_ratio == pytest.approx(0.25)
    assert verdict.seconds_ratio == pytest.approx(1 / 8), "a search is paid for too"
    assert verdict.bootstrap == pytest.approx(verdict.interval, abs=0.04)
    assert verdict.bootstrap[0] < 0.3 < verdict.bootstrap[1]


def test_runs_on_different_images_are_not_compared(tmp_path: Path) -> None:
    right, recipe = np.arange(400) < 300, parse_recipe({})
    run = write_finished_run(tmp_path / "run", right, recipe)
    other = write_finished_run(tmp_path / "other", right, recipe, first=7)
    with pytest.raises(RecordError, match="different images"):
        compare_runs(run, other)


@pytest.mark.parametrize(("n", "rounded"), [(7, 7), (99, 99), (101, 110), (7_841, 7_900)])
def test_sample_sizes_are_rounded_up(n: int, rounded: int) -> None:
    assert round_up(n) == rounded


@pytest.mark.parametrize("seconds", [0.0, 1e-320])
def test_a_model_that_claims_no_time_is_compared(seconds: float) -> None:
    other = replace(make_compared("b"), seconds=seconds)
    verdict = judge_pair(*answers(900, 80, 20), make_compared("a"), other)
    assert verdict.seconds_ratio == pytest.approx(1e9)
