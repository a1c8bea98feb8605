"""Short studies: a rung that fails, seeds and a refit, no mirror images, a dry run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallvision.data.loading.load import load_data
from smallvision.records import store
from smallvision.records.ledger import read_openings
from smallvision.records.schema import LadderVerdicts, SeedSummary, StudyRecord, TestRecord
from smallvision.runs.finished_run import find_validated
from smallvision.study import rungs
from tests.support.commands import BRIEF, FAST, Outcome, spell_settings
from tests.support.studies import MadeStudy, make_study

Call = Callable[..., Outcome]
SOME_RUNGS = ("--rungs", "mlp,vgg10,vgg10-aug,wrn-aug", *FAST)
REFIT = (
    *("--rungs", "mlp,vgg10,snapshot-ensemble"),
    *("--seeds", "2", "--repeat", "mlp", "--refit"),
    *BRIEF,
)


@pytest.fixture(scope="module")
def failed(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    """A study in which one rung ran out of memory."""
    true_run = rungs.run_recipe

    def fail_once(recipe: Any, *arguments: Any, **options: Any) -> Any:
        if recipe.name == "vgg10":
            raise RuntimeError("out of memory,\nsaid the allocator")
        return true_run(recipe, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rungs, "run_recipe", fail_once)
        return make_study(rows, tmp_path_factory.mktemp("failed") / "study", *SOME_RUNGS)


def test_a_failed_rung_is_named_with_its_error_in_one_line(failed: MadeStudy) -> None:
    vgg10 = next(rung for rung in failed.summary.rungs if rung.slot == "vgg10")
    assert (vgg10.status, vgg10.error) == ("failed", "out of memory, said the allocator")


def test_the_rung_after_a_failed_one_builds_on_the_one_before_it(failed: MadeStudy) -> None:
    assert {rung.slot: rung.status for rung in failed.summary.rungs}["wrn-aug"] == "done"
    steps = store.read(failed.folder / "verdicts.json", LadderVerdicts).steps
    assert {step.rung: step.against for step in steps}["vgg10-aug"] == "mlp"


def test_a_failed_rung_is_trained_on_resumption(
    failed: MadeStudy, rows: Path, tmp_path: Path
) -> None:
    mended = make_study(rows, failed.copy(tmp_path).folder, "--resume", *SOME_RUNGS)
    states = [rung.status for rung in mended.summary.rungs]
    assert states == ["skipped", *["done"] * 3, "skipped", "done", *["skipped"] * 6]


@pytest.fixture(scope="module")
def refitted(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    """A study that repeats one rung, and trains the winner on validation images too."""
    return make_study(rows, tmp_path_factory.mktemp("refit") / "study", *REFIT)


def test_the_rung_that_was_asked_for_is_repeated(refitted: MadeStudy) -> None:
    runs = refitted.folder / "runs"
    assert store.read(runs / "mlp" / "seeds.json", SeedSummary).seeds == (0, 1)
    assert not (runs / "vgg10" / "seeds").exists()


def test_the_winner_is_trained_on_validation_images_too(refitted: MadeStudy) -> None:
    winner = refitted.folder / "runs" / str(refitted.summary.best)
    _, status = find_validated(winner / "refit")
    assert (status.kind, status.train.n) == ("refit", 120)


def test_the_winner_and_its_refit_are_tested_in_one_opening(refitted: MadeStudy) -> None:
    test = store.read(refitted.folder / "test.json", TestRecord)
    assert (test.refit, test.openings) == (True, 1)
    assert test.validation_model is not None
    assert test.weights != test.validation_model.weights
    assert len(read_openings(refitted.folder)) == 1


def test_a_refit_that_was_tested_is_not_tested_again(
    refitted: MadeStudy, rows: Path, tmp_path: Path
) -> None:
    again = make_study(rows, refitted.copy(tmp_path).folder, "--resume", *REFIT)
    assert len(read_openings(again.folder)) == 1


def test_without_mirror_images_no_rung_flips(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    assert "flip" in smallvision("recipes", "vgg10-aug").out
    options = ("--rungs", "mlp,vgg10-aug", "--no-mirror", *BRIEF)
    made = make_study(rows, tmp_path / "study", *options)
    assert "flip" not in (made.folder / "runs" / "vgg10-aug" / "recipe.toml").read_text()


def test_a_setting_of_one_model_leaves_the_others_alone(rows: Path, tmp_path: Path) -> None:
    settings = spell_settings("model.depth=16", "model.width=1", "compute.threads=1")
    made = make_study(rows, tmp_path / "study", "--rungs", "vgg10,wrn", "--dry-run", *settings)
    runs = made.folder / "runs"
    assert "depth = 16" in (runs / "wrn" / "recipe.toml").read_text()
    assert "depth" not in (runs / "vgg10" / "recipe.toml").read_text()


def test_a_dry_run_tests_on_training_images(rows: Path, tmp_path: Path) -> None:
    options = ("--dry-run", "--rungs", "mlp", "--set", "compute.threads=1")
    made = make_study(rows, tmp_path / "study", *options)
    data = store.read(made.folder / "study.json", StudyRecord).data
    assert data.test_fingerprint != load_data(rows).test.fingerprint
    assert any("test images are training images" in note for note in data.notes)
