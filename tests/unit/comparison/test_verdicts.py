"""Verdicts on two runs: the figures they rest on, and the words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.comparison.verdicts import (
    ComparedModel,
    compare_runs,
    describe_budget,
    describe_comparison,
    describe_gap,
    estimate_gap_change,
    judge_pair,
    round_up,
)
from smallvision.errors import RecordError
from smallvision.recipes import parse_recipe
from smallvision.records.schema import TrainingCourse
from smallvision.stats.paired import Correct, compare_paired
from tests.support.comparisons import write_finished_run
from tests.support.records import make_course
from tests.support.study_records import score_hits


def answers(both: int, only_a: int, only_b: int) -> tuple[Correct, Correct]:
    a = np.repeat([True, True, False], [both, only_a, only_b])
    b = np.repeat([True, False, True], [both, only_a, only_b])
    return a, b


def make_compared(
    name: str, train: float = 0.98, *, epochs: int = 3, n: int = 10_000, **fields: Any
) -> ComparedModel:
    return ComparedModel(name, score_hits(round(n * train), n), epochs, 1.0, 10, 0.1, **fields)


def test_better_says_by_how_much_and_on_what_evidence() -> None:
    sentence = describe_comparison(compare_paired(*answers(900, 80, 20)), "wrn", "vgg10")
    assert sentence.startswith("wrn is better than vgg10 by 6.0 points (95 % interval +")
    assert "p under 0.001" in sentence


def test_cannot_tell_apart_says_what_it_would_take() -> None:
    sentence = describe_comparison(compare_paired(*answers(900, 55, 45)), "a", "b")
    assert "which may be chance" in sentence
    end = "on 1,000 images: if the true difference is the one seen, it would take about 7,900."
    assert sentence.endswith(f"cannot tell apart {end}")


def test_equal_models() -> None:
    sentence = describe_comparison(compare_paired(*answers(90, 5, 5)), "a", "b")
    assert sentence == "a and b are right equally often; cannot tell apart on 100 images."


@pytest.mark.parametrize(
    ("change", "interval", "said"),
    [
        (-0.05, (-0.06, -0.04), "The gap to training closed by 5.0 points (95 % interval −6.0 to"),
        (0.05, (0.04, 0.06), "The gap to training widened by 5.0 points (95 % interval +4.0 to"),
        (-0.05, (-0.12, 0.02), "changed by −5.0 points, which may be chance (−12.0 to +2.0)."),
    ],
)
def test_a_gap_is_told_with_its_interval_and_not_closed_by_chance(
    change: float, interval: tuple[float, float], said: str
) -> None:
    assert said in describe_gap(change, interval, -0.02)


def test_a_gap_that_closed_says_what_moved() -> None:
    end = ": training accuracy −6.0 points, validation accuracy −1.0 points."
    assert describe_gap(-0.05, (-0.06, -0.04), -0.06).endswith(end)


def test_the_change_of_a_gap_has_an_interval_that_covers_it() -> None:
    """Of 300 pairs of models whose gaps differ by 4 points, at least 93 % of the intervals do."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        shared = rng.random(1_000)
        right, other = shared < 0.9, (shared + rng.normal(0, 0.05, 1_000)) < 0.88
        true = (0.97 - 0.9) - (0.91 - 0.88)
        train, other_train = (score_hits(rng.binomial(2_000, p), 2_000) for p in (0.97, 0.91))
        _, (low, high) = estimate_gap_change(right, other, train, other_train)
        covered.append(low <= true <= high)
    assert np.mean(covered) > 0.93


def test_a_verdict_tells_the_gap_and_every_caveat() -> None:
    model = make_compared("wrn", 0.98, caveats=("Settings were chosen.",))
    other = make_compared("vgg10", 0.97, caveats=("Members were chosen.",))
    verdict = judge_pair(*answers(900, 80, 20), model, other)
    assert (verdict.rung, verdict.against, verdict.verdict) == ("wrn", "vgg10", "better")
    assert verdict.gap_change == pytest.approx(-0.05)
    assert verdict.gap_interval is not None
    assert verdict.gap_interval[0] < -0.06 < -0.04 < verdict.gap_interval[1] < 0
    assert verdict.is_of_single_runs
    assert not verdict.is_at_budget
    assert "wrn is better than vgg10 by 6.0 points" in verdict.sentence
    assert "The gap to training closed by 5.0 points" in verdict.sentence
    assert verdict.sentence.endswith("Settings were chosen. Members were chosen.")


RISING, SHORT = make_course(rising=True, fit="underfits"), make_course(fit="too short to judge")


@pytest.mark.parametrize(
    ("course", "other", "epochs", "said"),
    [
        (RISING, RISING, 3, " at this budget (3 epochs; both still rising)"),
        (RISING, None, 3, " at this budget (3 epochs; wrn still rising)"),
        (None, SHORT, 1, " at this budget (1 epoch; vgg10 trained too briefly to level off)"),
        (
            RISING,
            SHORT,
            3,
            " at this budget (3 epochs; wrn still rising, vgg10 trained too briefly to level off)",
        ),
        (None, make_course(), 3, ""),
    ],
)
def test_a_verdict_that_more_epochs_might_change_holds_at_this_budget(
    course: TrainingCourse | None, other: TrainingCourse | None, epochs: int, said: str
) -> None:
    model = make_compared("wrn", course=course, epochs=epochs)
    against = make_compared("vgg10", course=other, epochs=epochs)
    assert describe_budget(model, against) == said
    verdict = judge_pair(*answers(900, 20, 80), model, against)
    assert verdict.sentence.startswith(f"wrn is worse than vgg10{said} by 6.0 points (")
    assert verdict.is_at_budget == bool(said)


def test_unlike_budgets_are_both_told() -> None:
    model, other = make_compared("wrn", course=RISING), make_compared("vgg10", epochs=20)
    said = " at this budget (wrn: 3 epochs, still rising; vgg10: 20 epochs)"
    assert describe_budget(model, other) == said


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
