"""Members chosen by what candidates predict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.ensembles import member_selection
from smallvision.ensembles.candidates import find_candidates
from smallvision.ensembles.member_selection import (
    MemberSelection,
    describe_candidates,
    join_members,
    list_caveats,
    select_members,
)
from smallvision.recipes import read_run_recipe
from smallvision.runs.run_data import load_run_data
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from tests.support.models import FP32
from tests.support.runs import make_job


@pytest.fixture
def selection(rows: DataSet, trained: Path) -> MemberSelection:
    """The two best of three snapshots and a network that sees no mirror images."""
    candidates = [
        candidate
        for name in ("snapshots", "single")
        for candidate in find_candidates(trained / name, FP32)
    ]
    data = load_run_data(rows, make_job(rows, trained).split, FP32)
    return select_members(candidates, data, "last", 2)


def test_the_best_member_is_a_member(selection: MemberSelection) -> None:
    assert selection.order == [3, 2]
    # Were a network that does not vote the best one, it would not be what the vote is compared to.
    rates = [rate.change(accuracy=0.1) for rate in selection.rates]
    rates[0], rates[2] = rates[0].change(accuracy=1.0), rates[2].change(accuracy=0.5)
    selection.__dict__["rates"] = rates
    assert selection.best == 2
    assert selection.single is selection.candidates[2]
    answers = selection.probabilities[2].argmax(axis=1) == selection.labels
    assert np.array_equal(selection.right, answers)


def test_members_are_chosen_by_the_metric_of_their_recipes(
    rows: DataSet, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def choose(probabilities, labels, limit, metric):  # type: ignore[no-untyped-def]
        asked.append(metric)
        return [0]

    monkeypatch.setitem(member_selection.SELECTIONS, "greedy", choose)
    candidates = find_candidates(trained / "snapshots", FP32)
    data = load_run_data(rows, make_job(rows, trained).split, FP32)
    recipe = read_run_recipe(trained / "snapshots")
    for metric in ("accuracy", "macro_f1"):
        changed = recipe.model_copy(update={"metric": metric})
        monkeypatch.setattr(member_selection, "read_run_recipe", lambda _, it=changed: it)
        assert select_members(candidates, data, "greedy", 2).metric == metric
    assert asked == ["accuracy", "macro_f1"]


def test_the_best_member_is_the_best_by_the_metric(selection: MemberSelection) -> None:
    means = [rate.by_class for rate in selection.rates]
    assert all(means)
    rates = [
        rate.change(accuracy=0.9 - 0.1 * m, by_class=rate.by_class.change(macro_f1=0.5 + 0.1 * m))
        for m, rate in enumerate(selection.rates)
    ]
    for metric, best in (("accuracy", 2), ("macro_f1", 3)):
        one = replace(selection, metric=metric)
        one.__dict__["rates"] = rates
        assert one.best == best


def test_members_of_one_kind_are_not_asked_twice(selection: MemberSelection) -> None:
    assert selection.member_logits is None, "the two differ in test-time augmentation"
    alike = replace(selection, order=[2, 1])
    assert alike.member_logits is not None
    pooled = scale_logits(pool_members(alike.member_logits), 1.0)
    assert pooled == pytest.approx(alike.probabilities[[2, 1]].mean(axis=0), abs=1e-6)


def test_the_model_has_its_best_members_test_time_augmentation(selection: MemberSelection) -> None:
    model = join_members(selection.members, selection.candidates[0])
    assert model.tta == selection.candidates[0].model.tta
    assert model.epoch == selection.candidates[0].model.epoch
    assert [one.name for one in model.settings.members] == ["mlp", "wide_resnet"]


def test_candidates_are_told_with_their_own_places(
    selection: MemberSelection, trained: Path
) -> None:
    told = describe_candidates(selection, trained)
    assert [one.run for one in told] == [*["snapshots"] * 3, "single"]
    assert [one.epoch for one in told] == [1, 2, 3, 1]
    assert [one.chosen for one in told] == [False, False, True, True]
    assert [one.accuracy for one in told] == [rate.accuracy for rate in selection.rates]


def test_a_choice_on_validation_is_a_caveat() -> None:
    (chosen,) = list_caveats("greedy", 3)
    assert "flatters" in chosen
    assert list_caveats("all", 3) == list_caveats("last", 2) == ()
    (alone,) = list_caveats("greedy", 1)
    assert "stands alone" in alone
