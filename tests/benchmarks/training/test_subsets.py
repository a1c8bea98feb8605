from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

import smallvision as sv
from benchmarks.training import subsets
from benchmarks.training.subsets import (
    METHODS,
    Outcome,
    Score,
    SubsetJob,
    SubsetsRecord,
    compare_records,
    measure,
    take_subset,
)
from smallvision.data.dataset import DataSet
from smallvision.errors import FailedRunError, RecordError
from smallvision.records import store
from smallvision.records.ledger import read_openings
from tests.support.images import make_dataset, write_dataset
from tests.support.measurements import make_head

Benchmarks = Callable[..., Result]
SCORE = Score(accuracy=0.5, interval=(0.4, 0.6), n=100)


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[SubsetJob]:
    """What was measured, by methods that take no time; speednet says that it took 7 seconds."""
    done: list[SubsetJob] = []

    def measure_none(job: SubsetJob) -> Outcome:
        done.append(job)
        test = SCORE.change(accuracy=0.5 + 0.1 * job.seed)
        return Outcome(SCORE, test, 7.0 if job.method == "speednet" else 60.0, "nothing")

    for name in METHODS:
        monkeypatch.setitem(METHODS, name, measure_none)
    return done


def make_job(method: str, folder: Path, seed: int = 0) -> SubsetJob:
    return SubsetJob(method, make_dataset(), seed, 5.0, folder, "a command")


def test_a_subset_has_all_classes_alike_and_the_sealed_test_set(dataset: DataSet) -> None:
    taken = take_subset(dataset, 30, 0)
    assert taken.train.counts.tolist() == [10, 10, 10]
    assert taken.test is dataset.test
    assert take_subset(dataset, 30, 0).train.fingerprint == taken.train.fingerprint
    assert take_subset(dataset, 30, 1).train.fingerprint != taken.train.fingerprint
    known = {image.tobytes() for image in dataset.train.images}
    assert {image.tobytes() for image in taken.train.images} < known


def test_a_record_is_continued_with_more_seeds_sizes_and_methods(
    tmp_path: Path, jobs: list[SubsetJob], benchmarks: Benchmarks
) -> None:
    data = write_dataset(tmp_path / "rows.npz")
    call = ("subsets", data, "--runs", tmp_path / "runs", "--out", tmp_path, "--label", "before")
    for seeds, sizes, methods in (
        (1, "30", "speednet"),
        (1, "30,60", "svc,speednet"),
        (2, "30", "tutorial-cnn,speednet"),
    ):
        told = benchmarks(*call, "--seeds", seeds, "--sizes", sizes, "--methods", methods)
        assert told.exit_code == 0, told.output
    assert [(len(job.data.train), job.seed, job.method) for job in jobs] == [
        (30, 0, "speednet"),
        (30, 0, "svc"),
        (60, 0, "speednet"),
        (60, 0, "svc"),
        (30, 0, "tutorial-cnn"),
        (30, 1, "speednet"),
        (30, 1, "tutorial-cnn"),
    ]
    assert [job.seconds for job in jobs[-3:]] == [7.0, 3600.0, 7.0], "a CNN has speednet's time"
    assert len({job.folder for job in jobs}) == len(jobs)
    record = store.read(tmp_path / "subsets-before.json", SubsetsRecord)
    assert list(record.rows) == [
        (30, "speednet"),
        (30, "svc"),
        (30, "tutorial-cnn"),
        (60, "speednet"),
        (60, "svc"),
    ]
    assert record.rows[30, "speednet"].test.mean == pytest.approx(0.55)
    told = benchmarks(*call, "--seeds", 1, "--sizes", 30, "--budget", "2h")
    assert isinstance(told.exception, RecordError)
    assert "of another budget" in str(told.exception)


def test_a_run_that_was_cut_short_begins_anew(tmp_path: Path, jobs: list[SubsetJob]) -> None:
    job = make_job("speednet", tmp_path / "run")
    job.folder.mkdir()
    (job.folder / "status.json").write_text("{}")
    assert measure(job, 120).images == 120
    assert not job.folder.exists(), "nothing of it is left for the method to trip over"
    assert len(jobs) == 1


@pytest.mark.usefixtures("steady_clock")
@pytest.mark.parametrize("method", ["svc", "tutorial-cnn"])
def test_a_baseline_opens_the_test_set_once(method: str, tmp_path: Path) -> None:
    job = replace(make_job(method, tmp_path / "run"), seconds=20.0)
    run = measure(job, 120)
    (opening,) = read_openings(job.folder)
    assert (opening.model, opening.command, opening.n) == (method, "a command", 30)
    assert (run.val.n, run.test.n) == (24, 30)
    assert run.test.accuracy > 0.8
    with pytest.raises(RecordError, match="opened the test set, and was cut short"):
        measure(job, 120)
    assert len(read_openings(job.folder)) == 1


@pytest.mark.parametrize(("method", "refit"), [("speednet", False), ("speednet-refit", True)])
def test_the_package_trains_for_a_budget_and_is_tested_once(
    method: str, refit: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = sv.train

    def train_short(
        data: DataSet, recipe: str, *, budget_seconds: float, settings: list[str], **rest: Any
    ) -> object:
        assert (recipe, budget_seconds, rest["refit"]) == ("speednet", 5.0, refit)
        return train(data, "mlp", settings=[*settings, "epochs=2", "passes=1"], **rest)

    monkeypatch.setattr(sv, "train", train_short)
    job = make_job(method, tmp_path / "run", seed=3)
    run = measure(job, 120)
    assert len(read_openings(job.folder)) == 1
    assert (job.folder / "refit").exists() == refit
    assert (run.seed, run.val.n, run.test.n) == (3, 24, 30)
    assert "2 passes" in run.chosen
    record = sv.evaluate(job.folder, job.data).record
    assert (record.accuracy, record.refit) == (run.test.accuracy, refit)


def test_a_study_is_tested_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_study = sv.run_study

    def run_short(data: DataSet, folder: Path, plan: sv.StudyPlan) -> object:
        return run_study(data, folder, replace(plan, folds=1))

    monkeypatch.setattr(sv, "run_study", run_short)
    job = replace(make_job("study", tmp_path / "run", seed=3), dry_run=True)
    run = measure(job, 120)
    (opening,) = read_openings(job.folder)
    assert (opening.command, run.test.n) == ("a command", opening.n)
    assert run.chosen == "winner linear"


def test_a_study_has_the_whole_budget_for_all_rungs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = []

    def stop(_data: DataSet, _folder: Path, plan: sv.StudyPlan) -> object:
        plans.append(plan)
        raise FailedRunError("that is enough")

    monkeypatch.setattr(sv, "run_study", stop)
    with pytest.raises(FailedRunError, match="enough"):
        measure(make_job("study", tmp_path / "run", seed=3), 120)
    (plan,) = plans
    assert (plan.budget_seconds, plan.seed, plan.rungs, plan.dry_run) == (5.0, 3, (), False)


def test_a_dry_run_does_all_of_it_and_keeps_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    jobs: list[SubsetJob],
    benchmarks: Benchmarks,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path.parent / "cache"))
    data = sv.load_data("digits")
    told = benchmarks("subsets", "digits", "--dry-run")
    assert told.exit_code == 0, told.output
    assert [job.method for job in jobs] == ["speednet", "svc", "tutorial-cnn"]
    for job in jobs:
        assert abs(len(job.data.train) - subsets.DRY_SIZE) < 5
        assert job.data.test.fingerprint != data.test.fingerprint, "the seal stays"
    assert "tutorial-cnn" in told.output
    assert not list(tmp_path.iterdir())


def test_records_are_compared_side_by_side(tmp_path: Path, jobs: list[SubsetJob]) -> None:
    runs = [
        measure(make_job(method, tmp_path / f"{seed}-{method}", seed), 1_000)
        for seed in (0, 1)
        for method in ("speednet", "svc")
    ]
    before = SubsetsRecord(
        **make_head(),
        label="before",
        data="cifar10",
        data_fingerprint="",
        budget_seconds=3600,
        runs=tuple(runs),
    )
    after = before.change(label="after", runs=tuple(run for run in runs if run.method != "svc")[:1])
    assert next(compare_records([before, after])).splitlines() == [
        "| images | method | before: seeds | test % | minutes | after: seeds | test % | minutes |",
        "|---|---|---|---|---|---|---|---|",
        "| 1,000 | speednet | 2 | 55.00 ± 7.07 | 0.1 | 1 | 50.00 | 0.1 |",
        "| 1,000 | svc | 2 | 55.00 ± 7.07 | 1.0 |  |  |  |",
    ]
    assert before.sentences == ("1,000 images: speednet has 55.00 % on average; the goal is 68 %.",)
    assert len(jobs) == 4


def test_answers_have_wilsons_interval() -> None:
    score = subsets.score_hits(np.arange(1000) < 960)
    assert (score.accuracy, score.n) == (0.96, 1000)
    assert score.interval == pytest.approx((0.946, 0.9705), abs=1e-4)
