"""What a watcher sees of work in every state, and that it disturbs nobody."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import make_folder
from smallvision.records.schema import StudyRecord
from smallvision.watching.watcher import Watcher
from tests.gold.make_folders import FOLDERS
from tests.support.records import edit_json
from tests.support.study_folder import build_whole_study, make_search
from tests.support.tracked import begin_run, end_run, train_on
from tests.support.watched import (
    NO_PROCESS,
    UNDER_WAY,
    begin_study,
    keep_epochs,
    lock,
    make_running,
    unlock,
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return begin_study(tmp_path / "made-up-quick")


def test_a_study_under_way(study: Path) -> None:
    seen = Watcher(study).look()
    assert (seen.kind, seen.state, seen.done, len(seen.taken_on)) == ("study", "running", 4, 9)
    assert [step.state for step in seen.steps] == [
        *["done"] * 4, "running", *["planned"] * 3, "left out", "planned",
    ]  # fmt: skip
    assert [step.name for step in seen.now] == [UNDER_WAY]
    (training,) = seen.now[0].trainings
    assert (training.epochs, training.planned, training.is_active) == (6, 14, True)
    (out,) = seen.left_out
    assert (out.name, out.note) == ("tuned", "it would take 6 min 40 s")
    assert seen.left_seconds is not None
    assert seen.spent_seconds is not None
    assert seen.spent_seconds >= 245
    assert seen.faults == ()


def test_looking_takes_no_lock_and_writes_nothing(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for the lock at that moment must get it, so a watcher may not even try it."""
    before = {path: path.stat().st_mtime_ns for path in study.rglob("*")}

    def refuse(*_: object) -> None:
        raise AssertionError("a lock was asked for")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert Watcher(study).look().state == "running"
    assert {path: path.stat().st_mtime_ns for path in study.rglob("*")} == before


@pytest.mark.parametrize("how", ["left", "killed"])
def test_a_study_whose_process_has_gone_is_interrupted(study: Path, how: str) -> None:
    unlock(study) if how == "left" else lock(study, NO_PROCESS)
    seen = Watcher(study).look()
    assert seen.state == "interrupted"
    assert [step.name for step in seen.now] == [UNDER_WAY]
    assert seen.now[0].state == "interrupted"
    assert not seen.is_over


def test_a_study_that_is_resumed_runs_again(study: Path) -> None:
    unlock(study)
    watcher = Watcher(study)
    assert watcher.look().state == "interrupted"
    lock(study)
    assert watcher.look().state == "running"


def test_another_machine_cannot_be_asked(study: Path) -> None:
    lock(study, NO_PROCESS, "elsewhere")
    seen = Watcher(study).look()
    assert (seen.state, seen.host) == ("running", "elsewhere")


def test_a_finished_study(tmp_path: Path) -> None:
    folder = build_whole_study(tmp_path / "whole")
    seen = Watcher(folder).look()
    assert (seen.state, seen.left_seconds) == ("finished", 0.0)
    assert seen.is_over
    assert seen.best == "snapshot-ensemble"
    assert seen.test is not None
    failed = [step for step in seen.steps if step.state == "failed"]
    assert [step.note for step in failed] == ["the loss became NaN in epoch 3; "
                                              "lower the learning rate"]  # fmt: skip


def test_a_study_is_finished_once_its_report_is_written(tmp_path: Path) -> None:
    folder = build_whole_study(tmp_path / "whole")
    lock(folder)
    watcher = Watcher(folder)
    seen = watcher.look()
    assert (seen.state, seen.phase.split(",")[0]) == ("running", "testing the winner")
    (folder / "report.html").write_text("<!doctype html>")
    assert watcher.look().state == "finished"


def test_before_the_first_record(tmp_path: Path) -> None:
    folder = tmp_path / "to-come"
    watcher = Watcher(folder)
    assert (watcher.look().state, watcher.look().phase) == ("waiting", "")
    lock(folder)
    assert watcher.look().phase == "reading the images and making a plan"
    unlock(folder)
    begin_run(folder)
    lock(folder)
    assert watcher.look().state == "running"


@pytest.mark.parametrize("name", ["file", "folder"])
def test_what_is_no_work_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (make_folder(tmp_path / "folder") / "photo.jpg").write_text("x")
    with pytest.raises(RecordError, match="name the folder"):
        Watcher(tmp_path / name)


def test_workers_train_ahead_of_the_records_of_a_study(study: Path) -> None:
    """Two workers train what the study has not come to yet; each holds the lock of its run."""
    edit_json(study / "study.json", command="smallvision study made-up --workers 2")
    record = store.read(study / "study.json", StudyRecord)
    for name in ("wrn-cutmix", "wrn-se-aug"):
        run = Path(shutil.copytree(study / "runs" / UNDER_WAY, study / "runs" / name))
        store.write(run / "status.json", make_running(name))
        keep_epochs(run, 3)
        lock(run)
    shutil.copytree(study / "runs" / "wrn", study / "runs" / "wrn-aug-mish")
    rungs = [rung.change(status="pending") if rung.name == UNDER_WAY else rung
             for rung in record.rungs]  # fmt: skip
    store.write(study / "study.json", record.change(rungs=tuple(rungs)))
    states = {step.name: step.state for step in Watcher(study).look().steps}
    assert states["wrn-cutmix"] == states["wrn-se-aug"] == "running"
    assert states["wrn-aug-mish"] == "trained"
    assert states[UNDER_WAY] == "planned"  # nobody holds its lock
    lock(study / "runs" / "wrn-cutmix", NO_PROCESS)
    states = {step.name: step.state for step in Watcher(study).look().steps}
    assert states["wrn-cutmix"] == "planned"


def test_folds_and_seeds_are_trainings_of_their_rung(study: Path) -> None:
    edit_json(study / "study.json", folds=3, seeds=2)
    run = study / "runs" / UNDER_WAY
    for place in ("folds/2", "seeds/8"):
        shutil.copytree(study / "runs" / "wrn", run / place)
    (step,) = Watcher(study).look().now
    assert [one.label for one in step.trainings] == ["", "fold 2", "seed 8"]
    assert step.runs_expected == 4


def test_a_search_inside_a_study_shows_its_trial(study: Path) -> None:
    run = study / "runs" / UNDER_WAY
    tune = make_folder(run / "tune")
    store.write(tune / "tune.json", make_search())
    shutil.copytree(run, tune / "trials" / "010", ignore=shutil.ignore_patterns("tune"))
    for name in ("status.json", "metrics.jsonl", "schedule.json"):
        (run / name).unlink()
    (step,) = Watcher(study).look().now
    assert [one.label for one in step.trainings] == ["trial 10"]
    assert step.active
    assert step.search is not None


def test_a_damaged_record_is_told_and_what_it_said_stays(study: Path) -> None:
    watcher = Watcher(study)
    before = watcher.look()
    (study / "study.json").write_text("{")
    (study / "runs" / UNDER_WAY / "status.json").write_bytes(b"\xff\xfe\x00")
    seen = watcher.look()
    assert len(seen.faults) == 2
    assert [step.state for step in seen.steps] == [step.state for step in before.steps]


def test_every_record_damaged_from_the_first(study: Path) -> None:
    for path in study.rglob("*.json*"):
        path.write_bytes(os.urandom(50))
    seen = Watcher(study).look()
    assert seen.state == "waiting"
    assert seen.faults


def test_a_lone_run(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=2)
    lock(run)
    watcher = Watcher(run)
    seen = watcher.look()
    assert (seen.kind, seen.state, seen.steps[0].trainings[0].epochs) == ("run", "running", 2)
    train_on(run, 4)
    assert watcher.look().steps[0].trainings[0].epochs == 4
    unlock(run)
    assert watcher.look().state == "interrupted"
    end_run(run)
    assert watcher.look().state == "finished"


def test_a_run_goes_on_with_its_repeats(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    end_run(run)
    lock(run)
    begin_run(run / "seeds" / "1")
    seen = Watcher(run).look()
    assert seen.state == "running"
    assert [one.label for one in seen.steps[0].active] == ["seed 1"]


@pytest.mark.parametrize(
    ("name", "kind", "state"),
    [
        ("study", "study", "finished"),
        ("folded", "study", "finished"),
        ("run", "run", "finished"),
        ("paused", "run", "interrupted"),
        ("all-images", "run", "finished"),
        ("student", "run", "finished"),
        ("ensemble", "ensemble", "finished"),
        ("tuning", "search", "finished"),
    ],
)
def test_every_kind_of_work(name: str, kind: str, state: str) -> None:
    seen = Watcher(FOLDERS / name).look()
    assert (seen.kind, seen.state, seen.faults) == (kind, state, ())
