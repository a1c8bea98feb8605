"""`--start`: a study with a rung that begins with other weights, and a run that does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from smallvision.recipes import read_run_recipe
from smallvision.records import store
from smallvision.records.model_folders import fingerprint_model
from smallvision.records.schema import StudyRecord
from tests.support.commands import Outcome, assert_refused, call_command, spell_settings
from tests.support.images import make_dataset
from tests.support.runs import train_tiny
from tests.support.studies import MadeStudy, make_study

Call = Callable[..., Outcome]
SPEEDNET = {"model": {"name": "speednet", "widths": [8]}, "optimizer": {"name": "muon"}}
RUNGS = ("--rungs", "transfer,tuned,snapshot-ensemble", "--refit", "--folds", "2")
BRIEF = spell_settings("epochs=2", "compute.threads=1")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A speednet of other images, of four classes."""
    run = tmp_path_factory.mktemp("source") / "run"
    train_tiny(make_dataset(num_classes=4, seed=5), run, epochs=1, augment=[], **SPEEDNET)
    return run


@pytest.fixture(scope="module")
def study(rows: Path, source: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    folder = tmp_path_factory.mktemp("studies") / "study"
    return make_study(rows, folder, *RUNGS, *BRIEF, "--start", source)


def test_every_rung_that_builds_on_it_begins_with_these_weights(
    study: MadeStudy, source: Path
) -> None:
    assert (study.folder / "report.html").is_file()
    assert study.summary.test is not None
    states = {rung.slot: rung.status for rung in study.summary.rungs if rung.status != "skipped"}
    assert states == dict.fromkeys(("transfer", "tuned", "snapshot-ensemble"), "done")
    runs, model = study.folder / "runs", fingerprint_model(source)
    for place in ("transfer", "transfer/folds/2", "snapshot-ensemble/members/snapshots"):
        run = runs / place
        assert read_run_recipe(run).start.model == model
        assert fingerprint_model(run / "start") == model
    assert not list(study.folder.rglob("trials/*/start"))  # with the other weights of trials
    record = store.read(study.folder / "study.json", StudyRecord)
    assert record.start == model
    (note,) = [rung.note for rung in record.rungs if rung.slot == "transfer"]
    assert note is not None
    assert "not checked" in note


def test_a_study_is_resumed_with_its_own_start(
    study: MadeStudy, rows: Path, source: Path, tmp_path: Path
) -> None:
    copy = study.copy(tmp_path).folder
    again = ("study", rows, "--out", copy, "--resume", *RUNGS, *BRIEF)
    assert_refused(call_command(*again, "--start", "cifar10"), "do not fit")
    other = tmp_path / "other"
    train_tiny(make_dataset(seed=7), other, epochs=1, augment=[], **SPEEDNET)
    assert_refused(call_command(*again, "--start", other), "was begun with another --start")
    assert_refused(call_command(*again), "a rung of studies with --start")
    kept = copy / "runs" / "transfer" / "start"  # the copy, where the start itself is gone
    make_study(rows, copy, "--resume", *RUNGS, *BRIEF, "--start", kept)


def test_a_start_is_offered_where_it_may_help(smallvision: Call, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (60, 12, 12, 3), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(60) % 2)
    said = smallvision(
        "study", tmp_path / "noise.npz", "--rungs", "linear", "--folds", "1", *BRIEF
    )  # fmt: skip
    assert said.words.count("`--start cifar10` would begin with") == 1


def test_a_run_with_a_budget(smallvision: Call, rows: Path, source: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = smallvision(
        "train", rows, "speednet", "--start", source, "--budget", "60s", "--out", run,
        "--set", "start.rate=0.5",
    )  # fmt: skip
    assert done.code == 0, done.err
    recipe = read_run_recipe(run)
    assert recipe.name == "speednet-transfer"
    assert recipe.start.rate == 0.5
    assert recipe.model.widths == (8,)
