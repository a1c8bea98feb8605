"""Images of one group stay on one side wherever a data set is divided, and the report says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision import api as sv
from smallvision.data.dataset import DataSet
from smallvision.data.split import read_split, read_split_record
from smallvision.exploration.explore import explore_dataset
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from tests.support.images import make_dataset

SETTINGS = ("epochs=1", "compute.threads=1")


@pytest.fixture
def people() -> DataSet:
    """120 images of 20 people, six of each, in three classes."""
    words = tuple(f"person {i // 6}" for i in range(120))
    return replace(make_dataset(), groups=words)


def check_split(folder: Path, people: DataSet) -> None:
    """Nobody is on both sides, and the record counts them."""
    split, words = read_split(folder), np.array(people.groups)
    assert not set(words[split.train]) & set(words[split.val])
    record = read_split_record(folder)
    assert (record.groups, record.alike) == (20, None)


def test_a_run_keeps_groups_on_one_side(people: DataSet, tmp_path: Path) -> None:
    sv.train(people, "linear", out=tmp_path / "run", settings=SETTINGS)
    check_split(tmp_path / "run", people)


@pytest.mark.parametrize("folds", [1, 4])
def test_a_study_keeps_groups_on_one_side(people: DataSet, tmp_path: Path, folds: int) -> None:
    plan = StudyPlan(settings=SETTINGS, rungs=("linear",), folds=folds, refit=False)
    run_study(people, tmp_path / "study", plan)
    check_split(tmp_path / "study", people)
    for fold in range(2, folds + 1):
        check_split(tmp_path / "study/runs/linear/folds" / str(fold), people)
    page = (tmp_path / "study/report.html").read_text(encoding="utf-8")
    assert "20 groups of images that belong together lie on one side each" in page


def test_the_exploration_is_of_the_same_training_images(people: DataSet, tmp_path: Path) -> None:
    sv.train(people, "linear", out=tmp_path / "run", settings=SETTINGS)
    explored = explore_dataset(people)
    assert np.array_equal(
        explored.images.images, people.train.images[read_split(tmp_path / "run").train]
    )


def test_look_alikes_are_counted_in_the_report(tmp_path: Path) -> None:
    """Each image is one of a pair; two images of a pair are of one class."""
    data = make_dataset()
    twins = np.arange(120) - 3 * (np.arange(120) // 3 % 2)
    data = replace(data, alike=twins)
    plan = StudyPlan(settings=SETTINGS, rungs=("linear",), folds=1, refit=False)
    run_study(data, tmp_path / "study", plan)
    split = read_split(tmp_path / "study")
    assert not set(twins[split.train]) & set(twins[split.val])
    page = (tmp_path / "study/report.html").read_text(encoding="utf-8")
    assert "120 images look much like another of their class" in page
