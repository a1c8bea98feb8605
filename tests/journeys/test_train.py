"""`smallvision train`, and `evaluate`, `report` and `runs` on what it made."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.ledger import read_openings
from smallvision.records.schema import ValidatedRun
from smallvision.runs.finished_run import find_validated
from tests.support.commands import FAST, Outcome, assert_refused, call_command
from tests.support.images import write_dataset

Call = Callable[..., Outcome]
SEEDED = ("--set", "seed=5", "--evaluate", *FAST)
REFIT = ("--seeds", "2", "--refit", "--evaluate", *FAST)


def train_and_test(rows: Path, out: Path, options: tuple[str, ...]) -> Path:
    """Train as a user does, and open the test set once."""
    outcome = call_command("train", rows, "mlp", "--out", out, "--json", *options)
    assert outcome.code == 0, outcome.err
    assert outcome.json["test"]["openings"] == 1
    return out


@pytest.fixture(scope="module")
def trained(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was tested once."""
    return train_and_test(rows, tmp_path_factory.mktemp("trained") / "run", SEEDED)


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """The same run, to be changed."""
    return Path(shutil.copytree(trained, tmp_path / "runs" / "one"))


def test_a_run_keeps_its_recipe_and_what_it_changes(trained: Path) -> None:
    assert "seed = 5" in (trained / "recipe.toml").read_text()
    changed = (trained / "recipe.diff.toml").read_text()
    assert "seed = 5" in changed
    assert len(changed) < len((trained / "recipe.toml").read_text()) / 2


def test_what_was_tested_is_not_tested_again(smallvision: Call, run: Path, rows: Path) -> None:
    finished = smallvision("train", rows, "mlp", "--out", run, "--resume", *SEEDED)
    assert finished.code == 0, finished.err
    assert "opened once" in finished.out
    assert len(read_openings(run)) == 1


def test_validation_images_are_scored_again_without_an_opening(
    smallvision: Call, run: Path
) -> None:
    outcome = smallvision("evaluate", run, "--on", "val", "--json")
    assert outcome.code == 0, outcome.err
    _, status = find_validated(run)
    kept = status.calibration.model_dump()
    assert outcome.json["accuracy"] == status.val.accuracy
    for part in ("before", "after"):
        scored = outcome.json["calibration"][part]
        assert scored["ece"] == pytest.approx(kept[part]["ece"], rel=1e-4)
        assert scored["nll"] == pytest.approx(kept[part]["nll"], rel=1e-4)
    assert "Validation: " in outcome.err
    assert len(read_openings(run)) == 1


def test_data_that_moved_must_be_named_again(smallvision: Call, run: Path, rows: Path) -> None:
    moved = rows.rename(rows.with_name("moved.npz"))
    try:
        assert_refused(smallvision("evaluate", run), "name it: DATA")
    finally:
        moved.rename(rows)
    assert len(read_openings(run)) == 1


def test_a_second_opening_is_counted(smallvision: Call, run: Path, rows: Path) -> None:
    again = smallvision("evaluate", run, rows, "--json")
    assert again.json["openings"] == 2
    assert "opened twice" in again.err
    assert len(read_openings(run)) == 2


def test_it_is_listed(smallvision: Call, run: Path, tmp_path: Path) -> None:
    listed = smallvision("runs", tmp_path)
    assert listed.code == 0
    assert "runs/one" in listed.out


def test_a_run_on_a_named_data_set_remembers_it(smallvision: Call, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert smallvision("train", "digits", "mlp", "--preset", "quick", "--out", out, *FAST).code == 0
    outcome = smallvision("evaluate", out, "--on", "test")
    assert outcome.code == 0, outcome.err
    for shown in ("top-5", "macro F1", "(ECE)", "against validation", "precision", "opened once"):
        assert shown in outcome.out


def test_a_finished_run_can_be_resumed(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\nepochs = 2\ncompute.threads = 1\n[model]\nname = "mlp"\n')
    assert smallvision("train", rows, recipe, "--out", out).code == 0
    weights = (out / "model" / "model.safetensors").read_bytes()
    assert smallvision("train", rows, recipe, "--out", out, "--resume").code == 0
    assert (out / "model" / "model.safetensors").read_bytes() == weights


@pytest.fixture(scope="module")
def tested_refit(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a repeat and a refit, which was tested once."""
    return train_and_test(rows, tmp_path_factory.mktemp("refitted") / "run", REFIT)


@pytest.fixture
def refitted(tested_refit: Path, tmp_path: Path) -> Path:
    """The same run, to be changed."""
    return Path(shutil.copytree(tested_refit, tmp_path / "refitted"))


def test_the_refit_is_what_is_tested(smallvision: Call, refitted: Path, rows: Path) -> None:
    status = store.read(refitted / "refit" / "status.json", ValidatedRun)
    assert (status.kind, status.train.n) == ("refit", 120)
    outcome = smallvision("evaluate", refitted / "refit", rows, "--json")
    assert outcome.json["refit"]
    assert outcome.json["validation_model"]["val"]["n"] == 24
    assert outcome.json["val"] is None


def test_a_tested_refit_is_not_tested_again(smallvision: Call, refitted: Path, rows: Path) -> None:
    again = smallvision("train", rows, "mlp", "--out", refitted, "--resume", "--json", *REFIT)
    assert again.code == 0, again.err
    assert again.json["test"]["openings"] == 1


def test_a_lone_run_has_a_page(smallvision: Call, refitted: Path) -> None:
    page = refitted / "report.html"
    drawn = smallvision("report", refitted)
    assert (drawn.code, drawn.out.strip()) == (0, str(page))
    text = page.read_text()
    for said in (
        "of its validation images correctly",
        "seed 1",
        "refit",
        "Opened once for this run",
    ):
        assert said in text, said


def test_a_folder_that_is_no_run_has_no_page(smallvision: Call, tmp_path: Path) -> None:
    assert_refused(smallvision("report", tmp_path), "neither a study nor a run")


def test_an_output_that_is_a_file_is_refused(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for command in (["study", rows], ["train", rows, "mlp"]):
        for out in ("file", "file/run"):
            outcome = smallvision(*command, "--out", tmp_path / out, *FAST)
            assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert (tmp_path / "file").read_text() == "precious"


def test_windows_too_small_for_a_network_are_refused(smallvision: Call, tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "colours.npz", 60, 12, side=32, channels=3)
    setting = "random_crop_phase=[{until=0.5, side=8}]"
    outcome = smallvision("train", data, "speednet", "--out", tmp_path / "run", "--set", setting)
    assert_refused(outcome, "too small")
    assert not (tmp_path / "run").exists()
