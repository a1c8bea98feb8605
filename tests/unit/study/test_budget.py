"""A study within a time budget: measured, planned, written down, repeated, and cut where late."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from smallvision.errors import RecordError, SettingError
from smallvision.recipes.planning import Pace, Speed
from smallvision.recipes.scale import Family
from smallvision.records import store
from smallvision.records.layout import STUDY
from smallvision.records.model_folders import fingerprint_model
from smallvision.records.schema import BudgetPlan, PlannedRung, StudyRecord
from smallvision.study import budget
from smallvision.study.budget import (
    Clock,
    MeasuredSpeeds,
    describe_plan,
    find_too_many,
    fit_length,
    leave_rerun,
    read_plan,
    read_scale,
)
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from smallvision.training import Callback
from tests.support.images import make_dataset
from tests.support.runs import make_job
from tests.support.tuning import make_mlp_recipe

ONE = ("compute.threads=1",)
RUNGS = ("linear", "mlp")


class Listener(Callback):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def on_message(self, sentence: str) -> None:
        self.said.append(sentence)


def pretend_speed(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let every network take so long for an image."""

    def measure(self: MeasuredSpeeds, family: Family, size: str) -> None:
        self.measured[family, size] = Speed(seconds, seconds / 3)

    monkeypatch.setattr(MeasuredSpeeds, "measure", measure)


def make_plan(*slots: str, seconds: float | None = 100.0) -> BudgetPlan:
    """A plan of 10 seconds for each rung."""
    return BudgetPlan(
        seconds=seconds,
        measured=(),
        lengths=(),
        trials=6,
        snapshots=2,
        kept_seconds=10.0,
        rungs=tuple(PlannedRung(slot=slot, size="", passes=1, seconds=10.0) for slot in slots),
        left_out=(),
    )


def test_a_plan_is_written_down_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_speed(monkeypatch, 2e-3)
    plan = StudyPlan(budget_seconds=80.0, rungs=RUNGS, settings=ONE, folds=1)
    told = Listener()
    run_study(make_dataset(), tmp_path / "first", plan, callbacks=[told])
    record = store.read(tmp_path / "first" / STUDY, StudyRecord)
    assert record.budget is not None
    assert [rung.slot for rung in record.budget.rungs] == list(RUNGS)
    assert any("Plan for a budget of 80 s" in line for line in told.said)
    assert 0 < record.spent_seconds < 80
    pretend_speed(monkeypatch, 1e-1)  # on a machine that is far slower
    run_study(make_dataset(), tmp_path / "first", plan, resume=True)
    assert store.read(tmp_path / "first" / STUDY, StudyRecord).budget == record.budget


def test_the_plan_of_another_study_is_repeated_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_speed(monkeypatch, 2e-3)
    plan = StudyPlan(budget_seconds=80.0, rungs=RUNGS, settings=ONE, folds=1)
    run_study(make_dataset(), tmp_path / "first", plan)
    pretend_speed(monkeypatch, 1e-1)
    again = StudyPlan(
        budget_seconds=80.0, rungs=RUNGS, settings=ONE, folds=1, same_plan_as=tmp_path / "first"
    )
    run_study(make_dataset(), tmp_path / "second", again)
    for rung in RUNGS:
        first, second = (
            fingerprint_model(tmp_path / name / "runs" / rung / "model")
            for name in ("first", "second")
        )
        assert first == second


def test_rungs_without_time_are_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_speed(monkeypatch, 1e-3)
    plan = StudyPlan(budget_seconds=60.0, settings=ONE, folds=1)
    # A quick machine shall have no time left either, into which a rung could be taken back.
    first = tmp_path / "study" / "runs" / "linear" / "status.json"
    monkeypatch.setattr(Clock, "spent", lambda _: 59.0 if first.exists() else 1.0)
    run_study(make_dataset(), tmp_path / "study", plan)
    record = store.read(tmp_path / "study" / STUDY, StudyRecord)
    states = {rung.slot: (rung.status, rung.note) for rung in record.rungs}
    assert states["linear"][0] == "done"
    status, note = states["wrn"]
    assert status == "skipped"
    assert note is not None
    assert "would take" in note


def test_a_budget_that_suffices_for_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_speed(monkeypatch, 1.0)
    plan = StudyPlan(budget_seconds=60.0, settings=ONE, folds=1)
    with pytest.raises(SettingError, match="too short for any rung: linear alone would take"):
        run_study(make_dataset(), tmp_path / "study", plan)
    assert not (tmp_path / "study" / STUDY).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"budget_seconds": 90.0}, "another --budget"),
        ({"settings": ("label_smoothing=0.1",)}, "another --set"),
    ],
)
def test_a_study_goes_on_within_its_own_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], said: str
) -> None:
    pretend_speed(monkeypatch, 2e-3)
    asked: dict[str, object] = {"budget_seconds": 80.0, "rungs": ("linear",), "settings": ONE}
    run_study(make_dataset(), tmp_path, StudyPlan(**asked, folds=1))  # type: ignore[arg-type]
    other = StudyPlan(**{**asked, **change}, folds=1)  # type: ignore[arg-type]
    with pytest.raises(RecordError, match=said):
        run_study(make_dataset(), tmp_path, other, resume=True)


def test_rungs_that_are_late_are_cut_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rung finishes; what comes after it finds the time spent."""
    pretend_speed(monkeypatch, 2e-3)
    spent = iter([1.0, 1.0, 1.0])
    monkeypatch.setattr(Clock, "spent", lambda _: next(spent, 75.0))
    told = Listener()
    plan = StudyPlan(budget_seconds=80.0, rungs=RUNGS, settings=ONE, folds=1)
    run_study(make_dataset(), tmp_path, plan, callbacks=[told])
    record = store.read(tmp_path / STUDY, StudyRecord)
    states = {rung.slot: rung.status for rung in record.rungs}
    assert (states["linear"], states["mlp"]) == ("done", "skipped")
    assert record.best == "linear"
    assert any(line.startswith("mlp is left out after 75 s") for line in told.said)


def test_what_is_worth_least_is_cut_first() -> None:
    slots = ["linear", "vgg10", "wrn", "speednet", "tuned", "snapshot-ensemble"]
    plan = make_plan(*slots)

    def cut(spent: float, taken: float = 10.0) -> list[str]:
        return find_too_many(plan, slots, spent, Pace({"mlp": (taken, 10.0)}))

    assert cut(30.0) == []
    assert cut(31.0) == ["tuned"]
    assert cut(45.0) == ["tuned", "wrn"]
    assert cut(0.0, taken=16.0) == ["tuned"]
    assert cut(31.0, taken=1.0) == ["tuned"]  # what was quick so far need not go on so
    assert cut(95.0) == ["tuned", "wrn", "snapshot-ensemble", "vgg10", "speednet", "linear"]
    assert find_too_many(make_plan(*slots, seconds=None), slots, 1e9, Pace({})) == []


def test_a_rung_is_taken_back_in_where_time_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan was made for a slow machine, which then turns out to be quick."""
    pretend_speed(monkeypatch, 1e-3)
    told = Listener()
    plan = StudyPlan(budget_seconds=60.0, settings=ONE, folds=1)
    monkeypatch.setattr(Clock, "spent", lambda _: 1.0)
    run_study(make_dataset(), tmp_path, plan, callbacks=[told])
    record = store.read(tmp_path / STUDY, StudyRecord)
    assert record.budget is not None
    left_out = {rung.slot for rung in record.budget.left_out}
    states = {rung.slot: rung.status for rung in record.rungs}
    taken_in = {slot for slot in left_out if states[slot] == "done"}
    assert taken_in
    for slot in taken_in:
        assert any(line.startswith(f"There is time for {slot} after all") for line in told.said)


def test_a_clock_counts_all_sessions() -> None:
    clock = Clock(100.0, time.perf_counter() - 5.0)
    assert clock.spent() == pytest.approx(105.0, abs=1.0)


def test_a_plan_without_a_known_network_is_refused() -> None:
    with pytest.raises(RecordError, match="no linear that this version knows"):
        read_scale(make_plan("mlp"))


def test_a_study_without_a_plan_cannot_be_repeated(tmp_path: Path) -> None:
    plan = StudyPlan(rungs=("linear",), settings=("epochs=1",), folds=1)
    run_study(make_dataset(), tmp_path, plan)
    with pytest.raises(RecordError, match="has no plan"):
        read_plan(tmp_path)


def test_a_plan_is_told_in_lines_of_eighty_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_speed(monkeypatch, 2e-3)
    plan = StudyPlan(budget_seconds=80.0, rungs=RUNGS, settings=ONE, folds=1)
    run_study(make_dataset(), tmp_path, plan)
    lines = list(describe_plan(read_plan(tmp_path)))
    assert len(lines) >= 1 + len(RUNGS)
    assert max(map(len, lines)) <= 80


def test_a_plan_names_no_cutmix_where_it_is_left_out() -> None:
    plan = make_plan("wrn-aug", "wrn-se-cutmix")
    told = "\n".join(describe_plan(plan))
    assert "wrn-se " in told
    assert "cutmix" not in told
    assert "wrn-se-cutmix" in "\n".join(describe_plan(make_plan("wrn-cutmix", "wrn-se-cutmix")))


def test_a_recipe_is_shortened_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "measure_speed", lambda *_: Speed(1e-2, 0.0))
    job = make_job(make_dataset(), tmp_path)  # 96 images to train on: 0.96 s a pass
    recipe = make_mlp_recipe(epochs=100, schedule={"name": "cosine", "warmup_epochs": 5.0})
    began = time.perf_counter()
    shorter = fit_length(recipe, job, 60.0, runs=1, began=began)
    assert 45 <= shorter.epochs <= 50
    assert shorter.schedule.warmup_epochs == pytest.approx(5.0 * shorter.epochs / 100)  # type: ignore[union-attr]
    assert fit_length(recipe, job, 60.0, runs=2, began=began).epochs == shorter.epochs // 2
    assert fit_length(recipe, job, 600.0, runs=1, began=began) == recipe
    with pytest.raises(SettingError, match="an epoch takes about"):
        fit_length(recipe, job, 9.0, runs=1, began=began)


def test_a_search_leaves_time_for_its_rerun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "measure_speed", lambda *_: Speed(1e-2, 0.0))
    job, recipe = make_job(make_dataset(), tmp_path), make_mlp_recipe(epochs=9)
    began = time.perf_counter()
    left = leave_rerun(recipe, job, 100.0, epochs=3, seeds=2, began=began)
    assert left == pytest.approx(100 * (1 - 0.06) - 8 - 4 * 9 * 0.96, abs=1)
    with pytest.raises(SettingError, match="--seeds 2 takes 35 s"):
        leave_rerun(recipe, job, 40.0, epochs=3, seeds=2, began=began)


@pytest.mark.parametrize("seconds", [0.0, -1.0, math.inf, math.nan])
def test_a_budget_is_a_time(seconds: float) -> None:
    with pytest.raises(SettingError, match="budget"):
        StudyPlan(budget_seconds=seconds)


def test_a_plan_and_epochs_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="leave one out"):
        StudyPlan(settings=("epochs=3",), same_plan_as=tmp_path)


def test_speeds_are_measured(tmp_path: Path) -> None:
    dataset = make_dataset()
    job = make_job(dataset, tmp_path)
    task = budget.Task(dataset.train.shape, len(job.split.train), mirror_safe=True)
    speeds = MeasuredSpeeds(job, task, seed=0)
    for family, size in (("speednet", "small speednet"), ("wrn", "WRN-10-2"), ("mlp", "mlp")):
        speeds.measure(family, size)
        speed = speeds.estimate(family, size)
        assert 0 < speed.infer < 1
        assert 0 < speed.train < 1
    assert speeds.estimate("wrn", "WRN-16-4").train == pytest.approx(
        393 / 44.5 * speeds.estimate("wrn", "WRN-10-2").train
    )
