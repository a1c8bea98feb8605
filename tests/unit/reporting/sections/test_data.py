from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import data
from smallvision.reporting.view import StudyView


def with_classes(study: StudyView, counts: tuple[int, ...]) -> data.ExploredData:
    assert study.exploration is not None
    names = tuple(f"class {index}" for index in range(len(counts)))
    record = study.exploration.record.model_copy(update={"class_names": names, "counts": counts})
    return data.gather_explored(replace(study.exploration, record=record))


def test_classes_come_with_their_pictures(study: StudyView) -> None:
    explored = data.gather(study).explored
    assert explored is not None
    assert (len(explored.first), explored.rest, explored.pictured) == (10, (), 2)
    assert explored.first[0].average is not None
    assert explored.first[2].average is None
    assert explored.first[0].share == 1
    assert explored.balance is None


def test_many_classes_are_folded(study: StudyView) -> None:
    explored = with_classes(study, (5,) * 40)
    assert (len(explored.first), len(explored.rest)) == (20, 20)
    assert explored.balance is not None
    assert (explored.balance.path, explored.balance.sentence) == ("", "Every class has 5 images.")


def test_the_balance_of_many_classes(study: StudyView) -> None:
    balance = with_classes(study, tuple(range(1, 41))).balance
    assert balance is not None
    assert balance.path
    assert "From 40 images (class 39) down to 1 (class 0)" in balance.sentence


def test_data_that_nobody_explored(study: StudyView) -> None:
    assert data.gather(replace(study, exploration=None)).explored is None
