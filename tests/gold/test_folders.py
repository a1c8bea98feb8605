"""Folders that `tests.gold.make_folders` wrote once are read, resumed and drawn."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from smallvision.api import evaluate, train, tune
from smallvision.compute.machine import choose_machine
from smallvision.data.loading.load import as_dataset
from smallvision.predict import load_model
from smallvision.recipes import read_run_recipe
from smallvision.records.files import read_json, read_npz
from smallvision.records.layout import find_runs
from smallvision.records.ledger import read_openings
from smallvision.runs.results import Run
from smallvision.study.climb import run_study
from smallvision.study.plan import StudyPlan
from tests.gold.make_folders import SMALL

FOLDERS = Path(__file__).parent / "folders"
VERSIONS = sorted(path.name for path in FOLDERS.iterdir())


@pytest.fixture(params=VERSIONS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDERS / request.param, tmp_path / "folder"))


def test_all_runs_are_found_and_whole(folder: Path) -> None:
    states = {str(run.relative_to(folder)): status["status"] for run, status in find_runs(folder)}
    assert states.pop("paused") == "running"
    assert set(states) >= {"run", "ensemble", "study/runs/mlp", "tuning/trials/000"}
    assert set(states.values()) == {"done"}


@pytest.mark.parametrize("name", ["run", "ensemble", "study/runs/mlp"])
def test_models_predict_what_they_did(folder: Path, name: str) -> None:
    model = load_model(folder / name, choose_machine(precision="fp32"))
    indices, known = read_npz(folder / name / "predictions" / "val.npz", "indices", "probabilities")
    images = as_dataset("digits", None).train.take(indices).images
    assert np.allclose(model.predict(images), known, atol=1e-4)


def test_a_run_can_be_tested(folder: Path) -> None:
    run = Run(folder / "run")
    assert len(run.metrics) == 3
    assert read_run_recipe(run.folder).epochs == 3
    assert evaluate(run, "digits").record["openings"] == 1
    assert len(read_openings(run.folder)) == 1


def test_an_unfinished_run_goes_on(folder: Path) -> None:
    recipe = folder / "paused" / "recipe.toml"
    run = train("digits", recipe, out=folder / "paused", resume=True)
    whole = Run(folder / "run")
    assert [line["step"] for line in run.metrics] == [line["step"] for line in whole.metrics]
    assert run.metrics[-1]["loss"] == pytest.approx(whole.metrics[-1]["loss"], rel=1e-2)


def test_a_study_is_drawn_without_another_opening(folder: Path) -> None:
    plan = StudyPlan(rungs=("mlp",), settings=(*SMALL, "epochs=1"))
    summary = run_study("digits", folder / "study", plan, resume=True)
    assert summary["test"]["openings"] == 1
    assert summary["test"]["accuracy"] == read_json(folder / "study" / "test.json")["accuracy"]
    assert (folder / "study" / "report.html").stat().st_size > 100_000


def test_a_search_has_its_answer(folder: Path) -> None:
    known = read_json(folder / "tuning" / "tune.json")
    settings = (*SMALL, "epochs=1")
    found = tune(
        "digits",
        "mlp",
        preset="quick",
        trials=2,
        epochs=1,
        seeds=0,
        out=folder / "tuning",
        settings=settings,
        resume=True,
    )
    assert found.record["best"] == known["best"]
