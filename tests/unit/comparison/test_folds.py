"""Cross-validated runs compared on the folds that all of them finished."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.comparison.folds import find_common_folds, read_folds
from smallvision.comparison.groups import compare_groups
from smallvision.comparison.verdicts import compare_runs
from smallvision.errors import RecordError
from smallvision.records.layout import FOLDS_RECORD, list_folds
from smallvision.records.nofollow import remove_folder
from smallvision.stats.folds import compare_folds
from tests.support.comparisons import write_folds


def test_the_answers_of_all_folds_are_compared(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, 37, 36), write_folds(tmp_path / "b", 20, 21, 20)
    verdict = compare_runs(a, b)
    common = find_common_folds([a, b])
    assert common is not None
    answers, others = read_folds(a, common), read_folds(b, common)
    found = compare_folds(answers.correct, others.correct, answers.folds, 3)
    assert (verdict.n, verdict.folds, verdict.seeds) == (120, 3, (1, 1))
    assert (verdict.p, verdict.interval) == (found.p, found.interval)
    assert verdict.sentence.endswith("The answers are those of 3 folds.")
    assert not verdict.is_of_single_runs


def test_only_folds_that_both_finished_count(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, -1, 36), write_folds(tmp_path / "b", 20, 21, 20)
    verdict = compare_runs(a, b)
    assert (verdict.n, verdict.folds) == (80, 2)


def test_a_run_without_folds_is_compared_on_the_first_alone(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, 37, 36), write_folds(tmp_path / "b", 20, 21, 20)
    (b / FOLDS_RECORD).unlink()
    verdict = compare_runs(a, b)
    assert (verdict.n, verdict.folds) == (40, 1)
    assert "folds" not in verdict.sentence


def test_folds_of_other_images_are_not_compared(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, 37, 36), write_folds(tmp_path / "b", 20, 21, 20, shift=1)
    with pytest.raises(RecordError, match="different images"):
        compare_runs(a, b)


def test_a_lost_fold_is_named(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, 37, 36), write_folds(tmp_path / "b", 20, 21, 20)
    remove_folder(a / "folds" / "3")
    with pytest.raises(RecordError, match="no finished fold 3"):
        compare_runs(a, b)


def test_compare_takes_all_folds(tmp_path: Path) -> None:
    a, b = write_folds(tmp_path / "a", 38, 37, 36), write_folds(tmp_path / "b", 20, 21, 20)
    comparison = compare_groups([a, b])
    assert (comparison.n, comparison.folds) == (120, 3)
    assert [group.mean for group in comparison.groups] == [111 / 120, 61 / 120]
    verdict, (pair,) = compare_runs(a, b), comparison.pairs
    assert (pair.p, pair.interval, pair.verdict) == (verdict.p, verdict.interval, "better")


def test_folds_are_listed_by_number(tmp_path: Path) -> None:
    run = write_folds(tmp_path / "a", *[30] * 11, folds=11)
    assert list(list_folds(run)) == list(range(1, 12))
