"""`smallvision show`: every kind of model, from its folder and its records."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.about.sheet import show
from smallvision.predict import load_model
from smallvision.records import store
from smallvision.records.schema import ValidatedRun
from smallvision.reporting import draw_report
from tests.gold.make_folders import FOLDERS
from tests.support.commands import Outcome, assert_refused
from tests.support.hostile_text import STYLE
from tests.support.models import CONVOLUTIONAL, make_model
from tests.support.page import Page
from tests.support.records import edit_json

Call = Callable[..., Outcome]
MODELS = {
    "run": "trained",
    "study": "refit",
    "study/runs/mlp/refit": "refit",
    "folded": "trained",
    "ensemble": "ensemble",
    "student": "trained",
    "all-images": "all_images",
    "run/model": "saved",
}
WEIGHTS = {"study": "study/runs/mlp/refit", "folded": "folded/runs/mlp"}  # of studies


@pytest.mark.parametrize(("place", "kind"), MODELS.items())
def test_models_of_all_kinds(smallvision: Call, place: str, kind: str) -> None:
    outcome = smallvision("show", FOLDERS / place, "--json")
    assert outcome.code == 0, outcome.err
    sheet = outcome.json
    assert (sheet["kind"], sheet["licence"]) == (kind, None)
    final = load_model(FOLDERS / WEIGHTS.get(place, place))
    assert sheet["fingerprint"] == final.fingerprint
    assert sheet["network"]["parameters"] == final.count_parameters()
    assert sheet["latency"]["measured"] == (kind == "saved")
    assert (sheet["data"] is None) == (kind == "saved")
    assert sheet["methods"][0].startswith("The final model is a")


def test_figures_are_those_of_the_records() -> None:
    sheet = show(FOLDERS / "run")
    status = store.read(FOLDERS / "run/status.json", ValidatedRun)
    assert (sheet.val, sheet.train) == (status.val, status.train)
    assert sheet.latency.seconds == status.latency_seconds
    assert sheet.temperature == status.calibration.temperature
    assert sheet.test is not None
    assert sheet.test.openings == 1
    assert show(FOLDERS / "student").test is None


def test_the_members_of_an_ensemble_stand_once(smallvision: Call) -> None:
    outcome = smallvision("show", FOLDERS / "ensemble")
    assert "3 networks of these layers" in outcome.out
    assert outcome.out.count("batch norm") == 1
    assert "all networks     837 parameters" in outcome.out


def test_the_included_model_has_its_records(smallvision: Call) -> None:
    outcome = smallvision("show", "cifar10")
    assert outcome.code == 0, outcome.err
    for words in (
        "73.8 million multiplications",
        "92.97 % of 10,000 images",
        "92.67 % of 10,000 images",
        "opened once",
        "MIT, as this package",
        "Jordan, arXiv 2404.00498",
    ):
        assert words in outcome.out


def test_what_a_model_cannot_do_is_told(smallvision: Call) -> None:
    """A model without validation images has neither a limit nor prediction sets."""
    without, with_both = (smallvision("show", FOLDERS / name).out for name in ("all-images", "run"))
    assert "cannot tell which pictures are unlike" in without
    assert "none: it was saved without them" in without
    assert "none: " not in with_both


def test_nothing_is_cut_in_a_pipe_and_lines_fit_a_terminal(
    smallvision: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = smallvision("show", "cifar10").out
    assert "…" not in whole
    assert " ".join(show("cifar10").methods) in whole
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    narrow = STYLE.sub("", smallvision("show", "cifar10").out)
    assert [line for line in narrow.splitlines() if len(line) > 80] == []
    assert len(narrow.splitlines()) > len(whole.splitlines())


@pytest.mark.parametrize("place", ["study", "folded", "run", "ensemble", "all-images"])
def test_the_report_says_the_same(place: str) -> None:
    text = Page(draw_report(FOLDERS / place).html).text.replace("\u00a0", " ")
    for sentence in show(FOLDERS / place).methods:
        assert sentence in text


def test_a_saved_model_alone_is_measured(smallvision: Call, tmp_path: Path) -> None:
    make_model(0, CONVOLUTIONAL).save(tmp_path / "mine")
    outcome = smallvision("show", tmp_path / "mine")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("mine: a saved model without records")
    assert "just measured on random patterns (cpu, fp32" in outcome.out
    assert "no record of it" in outcome.out
    assert "unknown: no record says it" in outcome.out


@pytest.mark.parametrize("place", ["paused", "tuning", "nowhere"])
def test_what_holds_no_model_is_refused_in_a_line(smallvision: Call, place: str) -> None:
    assert_refused(smallvision("show", FOLDERS / place), place)


def test_a_test_of_other_weights_is_not_told(tmp_path: Path) -> None:
    run = Path(shutil.copytree(FOLDERS / "run", tmp_path / "run"))
    edit_json(run / "test.json", weights="sha256:" + "0" * 64)
    assert show(run).test is None


def test_a_recipe_that_was_edited_is_refused(smallvision: Call, tmp_path: Path) -> None:
    run = Path(shutil.copytree(FOLDERS / "run", tmp_path / "run"))
    with (run / "recipe.toml").open("a") as file:
        file.write("# mine\n")
    assert_refused(smallvision("show", run), "is not what this run was made with")


def test_damaged_records_are_one_line(smallvision: Call, tmp_path: Path) -> None:
    study = Path(shutil.copytree(FOLDERS / "study", tmp_path / "study"))
    run = study / "runs" / "mlp"
    refit = run / "refit"
    refused = set()
    for path in (
        *(study / name for name in ("study.json", "test.json", "ledger.jsonl")),
        *(run / name for name in ("status.json", "split.json", "recipe.toml")),
        *(refit / name for name in ("status.json", "model/model.json", "model/manifest.json")),
        refit / "model/model.safetensors",
    ):
        whole = path.read_bytes()
        for damage in (b"", b"{}\n", b"[]\n", b"\xff\n", whole[: len(whole) // 2]):
            path.write_bytes(damage)
            outcome = smallvision("show", study)
            assert outcome.code in (0, 2), f"{path}, {damage[:20]!r}: {outcome.err}"
            if outcome.code:
                assert_refused(outcome, path.name)
                refused.add(path)
        path.write_bytes(whole)
    assert len(refused) == 10
    assert smallvision("show", study).code == 0
