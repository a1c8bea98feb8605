"""A study stands for its winner or its rungs, and remembers where its data lie."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import StudyRecord
from tests.support.commands import FAST, Outcome, assert_refused
from tests.support.images import write_dataset
from tests.support.studies import MadeStudy, make_study

Call = Callable[..., Outcome]
RUNGS = ("--rungs", "linear,mlp", *FAST)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    """A study of two rungs on a file that lies beside it."""
    place = tmp_path_factory.mktemp("remembered")
    rows = write_dataset(place / "rows.npz")
    return make_study(rows, place / "study", *RUNGS, "--name", "mine", "--no-mirror")


@pytest.fixture
def study(finished: MadeStudy, tmp_path: Path) -> Path:
    return finished.copy(tmp_path).folder


@pytest.mark.parametrize("command", ["evaluate", "explain"])
def test_a_study_stands_for_its_winner(
    smallvision: Call, study: Path, finished: MadeStudy, command: str
) -> None:
    told = smallvision(command, study, "--json")
    assert told.code == 0, told.err
    assert told.json["model"] == finished.summary.best


def test_the_winner_of_a_study_is_a_teacher(smallvision: Call, study: Path, tmp_path: Path) -> None:
    taught = smallvision("distill", study, "mlp", "--out", tmp_path / "student", *FAST, "--json")
    assert taught.code == 0, taught.err
    assert taught.json["distilled"]["teacher"]["name"] == study_winner(study)


def study_winner(study: Path) -> str | None:
    return store.read(study / "study.json", StudyRecord).best


def test_an_ensemble_averages_the_rungs_of_a_study(
    smallvision: Call, study: Path, tmp_path: Path
) -> None:
    options = ("--select", "all", "--out", tmp_path / "both", "--json")
    built = smallvision("ensemble", study, *options)
    assert built.code == 0, built.err
    assert {Path(one["run"]).name for one in built.json["ensemble"]["candidates"]} == {
        "linear",
        "mlp",
    }


def test_a_study_without_a_winner_is_refused(smallvision: Call, study: Path) -> None:
    record = store.read(study / "study.json", StudyRecord)
    store.write(study / "study.json", record.change(best=None))
    for command in ("evaluate", "explain", "distill"):
        assert_refused(smallvision(command, study), "has no winner yet")


def test_a_study_is_resumed_without_naming_its_data(
    smallvision: Call, study: Path, finished: MadeStudy
) -> None:
    again = smallvision("study", "--out", study, "--resume", "--folds", "1", *RUNGS, "--json")
    assert again.code == 0, again.err
    assert again.json["best"] == finished.summary.best
    data = store.read(study / "study.json", StudyRecord).data
    assert (data.name, data.mirror_safe) == ("mine", False)


def test_data_that_moved_are_named_again(
    smallvision: Call, study: Path, finished: MadeStudy, tmp_path: Path
) -> None:
    rows = finished.folder.parent / "rows.npz"
    moved = tmp_path / "moved.npz"
    shutil.move(rows, moved)
    try:
        assert_refused(smallvision("evaluate", study), f"no longer at {rows}")
        assert smallvision("evaluate", study, moved).code == 0
        asked = smallvision("explain", study, moved, "--name", "other", "--json")
        assert asked.code == 0, asked.err
    finally:
        shutil.move(moved, rows)
