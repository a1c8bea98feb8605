"""The format on disk: one folder of each kind is read, written back, resumed, tested and drawn.

A test that fails here speaks of a change of the format. If it is meant, `make gold` makes the
folders anew, and what became of them is seen in the commit.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from smallvision.api import evaluate, report, train, tune
from smallvision.compute.machine import choose_machine
from smallvision.data.split import read_split
from smallvision.predict import load_model
from smallvision.recipes import read_recipe
from smallvision.recipes.toml import write_toml
from smallvision.records import store
from smallvision.records.files import read_npz
from smallvision.records.layout import find_runs
from smallvision.records.ledger import read_openings
from smallvision.records.schema import TestRecord
from smallvision.records.weights import check_manifest
from smallvision.runs.results import Run, Tuning
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from tests.gold.make_folders import CYCLES, FOLDED, FOLDERS, PLAN, TUNING
from tests.gold.page import STORED, STUDY, list_lines
from tests.support.images import make_dataset
from tests.support.record_files import RECORD_FILES, rewrite_record
from tests.support.runs import read_metrics

FILES = [path for path in sorted(FOLDERS.rglob("*")) if path.is_file()]


def find_files(*names: str) -> list[Path]:
    """The gold files of these names, of which there is at least one each."""
    found = [path for path in FILES if path.name in names]
    assert {path.name for path in found} == set(names)
    return found


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """The folders, to be changed."""
    return Path(shutil.copytree(FOLDERS, tmp_path / "folders"))


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 320_000


@pytest.mark.parametrize("name", RECORD_FILES)
def test_records_are_written_as_they_were_read(name: str, tmp_path: Path) -> None:
    for path in find_files(name):
        rewrite_record(path, tmp_path / name)
        assert (tmp_path / name).read_text() == path.read_text(), path


def test_no_record_is_of_another_kind() -> None:
    records = {path.name for path in FILES if path.suffix in (".json", ".jsonl")}
    assert records == set(RECORD_FILES)


def test_recipes_are_written_as_they_were_read() -> None:
    for path in find_files("recipe.toml", "tuned.toml"):
        assert write_toml(read_recipe(path).plain()) == path.read_text(), path


def test_splits_are_whole() -> None:
    for path in find_files("split.json"):
        split, folds = read_split(path.parent), 2 if "folded" in path.parts else 5
        assert (len(split.train), len(split.val)) == (120 - 120 // folds, 120 // folds), path


def test_tensors_are_whole() -> None:
    for path in find_files("manifest.json"):
        check_manifest(path.parent)


def test_all_runs_are_found() -> None:
    found = {str(run.relative_to(FOLDERS)): status for run, status in find_runs(FOLDERS)}
    kinds = {run: (status.kind, status.is_done) for run, status in found.items() if status}
    assert kinds == {
        "all-images": ("all_images", True),
        "ensemble": ("ensemble", True),
        "folded/runs/mlp": ("trained", True),
        "folded/runs/mlp/folds/2": ("trained", True),
        "paused": ("trained", False),
        "run": ("trained", True),
        "student": ("trained", True),
        "study/runs/mlp": ("trained", True),
        "study/runs/mlp/refit": ("refit", True),
        "study/runs/mlp/seeds/1": ("trained", True),
        "tuning/trials/000": ("trained", True),
        "tuning/trials/001": ("trained", True),
    }


@pytest.mark.parametrize("name", ["run", "ensemble", "student", "study/runs/mlp"])
def test_models_predict_what_they_did(name: str) -> None:
    model = load_model(FOLDERS / name, choose_machine(precision="fp32"))
    indices, known = read_npz(FOLDERS / name / "predictions/val.npz", "indices", "probabilities")
    images = make_dataset().train.take(indices).images
    assert np.allclose(model.predict(images), known, atol=1e-4)


def test_another_opening_is_counted(folders: Path) -> None:
    assert evaluate(folders / "run", make_dataset()).record.openings == 2
    assert [entry.opening for entry in read_openings(folders / "run")] == [1, 2]


def test_an_unfinished_run_goes_on(folders: Path) -> None:
    out = folders / "paused"
    assert (out / "checkpoints/paused/state.json").exists()
    train(make_dataset(), "mlp", preset="quick", out=out, settings=CYCLES, resume=True)
    epochs, whole = read_metrics(out), read_metrics(folders / "run")
    assert [epoch.step for epoch in epochs] == [epoch.step for epoch in whole]
    assert epochs[-1].loss == pytest.approx(whole[-1].loss, rel=1e-2)


@pytest.mark.parametrize("name", ["run", "all-images", "ensemble", "student"])
def test_a_finished_run_has_a_page(name: str, folders: Path) -> None:
    page = report(folders / name)
    assert Run(folders / name).status.name in page.html


@pytest.mark.parametrize(("name", "plan"), [("study", PLAN), ("folded", FOLDED)])
def test_a_study_is_drawn_without_another_opening(
    name: str, plan: StudyPlan, folders: Path
) -> None:
    study = folders / name
    tested = store.read(study / "test.json", TestRecord)
    summary = run_study(make_dataset(), study, plan, resume=True)
    assert summary.test is not None
    assert (summary.test.openings, summary.test.accuracy) == (1, tested.accuracy)
    assert len(read_openings(study)) == 1
    assert "mlp" in (study / "report.html").read_text()


def test_the_page_of_a_study_reads_as_it_did() -> None:
    """After a change that is meant: `python -m tests.gold.page`."""
    assert list_lines(STUDY).splitlines() == STORED.read_text(encoding="utf-8").splitlines()


def test_a_search_has_its_answer(folders: Path) -> None:
    known = Tuning(folders / "tuning").record
    found = tune(make_dataset(), "mlp", out=folders / "tuning", resume=True, **TUNING)
    assert (found.record.best, found.record.trials) == (known.best, known.trials)
