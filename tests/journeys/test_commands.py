"""Commands from end to end, as a newcomer calls them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.records.files import read_json
from tests.support.images import make_images
from tests.support.synthetic import write_synthetic

Call = Callable[..., Any]
FAST = ["--set", "epochs=1", "--set", "compute.threads=1"]
BRIEF = ["--set", "epochs=2", "--set", "compute.threads=1"]  # two cycles need two epochs


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A small npz with its own test images."""
    train, test = make_images(120), make_images(30, seed=9)
    path = tmp_path / "rows.npz"
    np.savez(
        path,
        x_train=train.images,
        y_train=train.labels,
        x_test=test.images,
        y_test=test.labels,
        class_names=np.array(train.class_names),
    )
    return path


def test_a_study_and_its_resumption(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    first = smallvision("study", rows, "--out", out, "--json", *BRIEF)
    assert first.code == 0, first.err
    summary = json.loads(first.out)
    assert [rung["slot"] for rung in summary["rungs"]] == [
        "mlp", "vgg10", "vgg10-aug", "wrn", "wrn-aug", "wrn-cutmix", "wrn-se-cutmix",
        "wrn-se-cutmix-mish", "speednet", "tuned", "snapshot-ensemble",
    ]  # fmt: skip
    assert {rung["status"] for rung in summary["rungs"]} == {"done"}
    assert summary["test"]["openings"] == 1
    assert summary["test"]["n"] == 30
    assert summary["best"] in {rung["name"] for rung in summary["rungs"]}
    assert "<html" in Path(summary["report"]).read_text()

    done = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("model.safetensors")}
    again = smallvision("study", rows, "--out", out, "--resume", "--json", *BRIEF)
    assert again.code == 0, again.err
    assert json.loads(again.out)["rungs"] == summary["rungs"]
    assert json.loads(again.out)["test"]["openings"] == 1
    assert done == {path: path.stat().st_mtime_ns for path in done}

    refused = smallvision("study", rows, "--out", out, *BRIEF)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--resume" in refused.err
    for options in (
        FAST,
        [*BRIEF, "--seeds", "2"],
        [*BRIEF, "--refit"],
        [*BRIEF, "--rungs", "mlp"],
    ):
        other = smallvision("study", rows, "--out", out, "--resume", *options)
        assert (other.code, other.err.count("\n")) == (2, 1)
        assert "name another folder" in other.err

    moved = smallvision("study", rows, "--out", out, "--resume", "--max-gap", "0.5", *BRIEF)
    assert moved.code == 2
    assert "limits" in moved.err

    other = next(rung["name"] for rung in summary["rungs"] if rung["name"] != summary["best"])
    result = (out / "test.json").read_text()
    assert smallvision("evaluate", out / "runs" / other, rows).code == 0
    assert (out / "test.json").read_text() == result, "the winner's result must not be lost"
    assert (out / "ledger.jsonl").read_text().count("\n") == 2

    (out / "report.html").unlink()
    drawn = smallvision("report", out)
    assert drawn.code == 0
    assert (out / "report.html").exists()


def test_a_failed_rung_does_not_sink_the_study(
    smallvision: Call, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smallvision.study import rungs as climb

    true_run = climb.run_recipe

    def fail_once(recipe: Any, *arguments: Any, **options: Any) -> Any:
        if recipe.name == "vgg10":
            raise RuntimeError("out of memory,\nsaid the allocator")
        return true_run(recipe, *arguments, **options)

    monkeypatch.setattr(climb, "run_recipe", fail_once)
    out = tmp_path / "study"
    options = ["--out", out, "--rungs", "mlp,vgg10,vgg10-aug,wrn-aug", "--json", *FAST]
    outcome = smallvision("study", rows, *options)
    assert outcome.code == 0, outcome.err
    rungs = {rung["name"]: rung for rung in json.loads(outcome.out)["rungs"]}
    assert rungs["vgg10"]["status"] == "failed"
    assert rungs["vgg10"]["error"] == "out of memory, said the allocator"
    assert rungs["wrn-aug"]["status"] == "done"
    verdicts = json.loads((out / "verdicts.json").read_text())["steps"]
    assert {step["rung"]: step["against"] for step in verdicts}["vgg10-aug"] == "mlp"

    monkeypatch.setattr(climb, "run_recipe", true_run)
    mended = smallvision("study", rows, "--resume", *options)
    states = [rung["status"] for rung in json.loads(mended.out)["rungs"]]
    assert states == [*["done"] * 3, "skipped", "done", *["skipped"] * 6]


def test_seeds_and_a_refit(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "study"
    picked = ["--rungs", "mlp,vgg10,snapshot-ensemble", "--seeds", "2", "--repeat", "mlp"]
    options = [*picked, "--refit", "--json", *BRIEF]
    outcome = smallvision("study", rows, "--out", out, *options)
    assert outcome.code == 0, outcome.err
    seeds = json.loads((out / "runs" / "mlp" / "seeds.json").read_text())
    assert seeds["seeds"] == [0, 1]
    assert not (out / "runs" / "vgg10" / "seeds").exists(), "not among those to repeat"
    best = out / "runs" / json.loads(outcome.out)["best"]
    test = json.loads((out / "test.json").read_text())
    refit = json.loads((best / "refit" / "status.json").read_text())
    assert (test["refit"], test["openings"], refit["kind"]) == (True, 1, "refit")
    assert refit["train"]["n"] == 120, "validation images are trained on"
    assert test["weights"] != test["twin"]["weights"]
    assert (out / "ledger.jsonl").read_text().count("\n") == 1
    assert smallvision("study", rows, "--out", out, "--resume", *options).code == 0
    assert (out / "ledger.jsonl").read_text().count("\n") == 1


def test_a_lone_run_has_a_page_too(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ["--out", run, "--seeds", "2", "--refit", "--evaluate", *FAST]
    assert smallvision("train", rows, "mlp", *options).code == 0
    drawn = smallvision("report", run)
    assert (drawn.code, drawn.out.strip()) == (0, str(run / "report.html"))
    page = (run / "report.html").read_text()
    for said in (
        "of its validation images correctly",
        "seed 1",
        "refit",
        "Opened once for this run",
    ):
        assert said in page, said
    other = smallvision("report", tmp_path)
    assert other.code == 2
    assert "neither a study nor a run" in re.sub(r"\s+", " ", other.err)


def test_letters_have_no_mirror_images(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    assert "say --no-mirror" in re.sub(r"\s+", " ", smallvision("explore", rows).out)
    told = re.sub(r"\s+", " ", smallvision("explore", rows, "--no-mirror").out)
    assert "flips are left out" in told
    out = tmp_path / "study"
    options = ["--out", out, "--rungs", "mlp,vgg10-aug", *BRIEF]
    assert smallvision("study", rows, *options, "--no-mirror").code == 0
    assert "flip" not in (out / "runs" / "vgg10-aug" / "recipe.toml").read_text()
    other = smallvision("study", rows, *options, "--resume")
    assert other.code == 2
    assert "resume it with the same --no-mirror" in re.sub(r"\s+", " ", other.err)


def test_train_refit_and_evaluate(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ["--out", run, "--refit", "--evaluate", "--json", *FAST]
    outcome = smallvision("train", rows, "mlp", *options)
    assert outcome.code == 0, outcome.err
    test = json.loads((run / "test.json").read_text())
    assert (test["refit"], test["openings"]) == (True, 1)
    again = smallvision("train", rows, "mlp", "--resume", *options)
    assert json.loads(again.out)["test"]["openings"] == 1, "the same weights are not tested twice"
    direct = smallvision("evaluate", run / "refit", rows, "--json")
    assert json.loads(direct.out)["twin"]["val"]["n"] == 24
    assert json.loads(direct.out)["val"] is None


def test_a_setting_of_one_model_leaves_the_others_alone(
    smallvision: Call, rows: Path, tmp_path: Path
) -> None:
    out = tmp_path / "study"
    outcome = smallvision("study", rows, "--dry-run", "--set", "model.depth=16", "--out", out)
    assert outcome.code == 0, outcome.err
    assert "depth = 16" in (out / "runs" / "wrn" / "recipe.toml").read_text()
    assert "depth" not in (out / "runs" / "vgg10" / "recipe.toml").read_text()
    assert "stand-in" in outcome.out or "dry run" in outcome.out


def test_train_evaluate_and_runs(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "one"
    trained = smallvision(
        "train", rows, "mlp", "--out", out, "--set", "seed=5", "--evaluate", "--json", *FAST
    )
    assert trained.code == 0, trained.err
    record = json.loads(trained.out)
    assert record["test"]["openings"] == 1
    assert "seed = 5" in (out / "recipe.toml").read_text()
    assert (out / "recipe.diff.toml").read_text().count("\n") < 20

    finished = smallvision(
        "train", rows, "mlp", "--out", out, "--set", "seed=5", "--evaluate", "--resume", *FAST
    )
    assert finished.code == 0, finished.err
    assert "opened once" in finished.out, "what is tested already is not tested again"

    validated = smallvision("evaluate", out, "--on", "val", "--json")
    figures = json.loads(validated.out)
    assert figures["accuracy"] == record["val"]["accuracy"]
    for part in ("before", "after"):
        again, kept = (source["calibration"][part] for source in (figures, record))
        assert again["ece"] == pytest.approx(kept["ece"], rel=1e-4)
        assert again["nll"] == pytest.approx(kept["nll"], rel=1e-4)
    assert "Validation: " in validated.err
    nameless = smallvision("evaluate", out)
    assert (nameless.code, nameless.err.count("\n")) == (2, 1)
    assert "name it: DATA" in nameless.err
    assert (out / "ledger.jsonl").read_text().count("\n") == 1

    again = smallvision("evaluate", out, rows, "--json")
    assert json.loads(again.out)["openings"] == 2
    assert "opened 2 times" in again.err

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


def test_train_goes_on_where_it_stopped(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\nepochs = 2\nbatch_size = 16\n[model]\nname = "mlp"\n')
    assert smallvision("train", rows, recipe, "--out", out).code == 0
    assert smallvision("train", rows, recipe, "--out", out, "--resume").code == 0


def test_tune_and_train_what_it_found(
    smallvision: Call, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fast = ["--set", "epochs=2", "--set", "compute.threads=1", "--seeds", "1"]
    tuned = smallvision("tune", rows, "mlp", "--trials", "3", "--json", *fast)
    assert tuned.code == 0, tuned.err
    summary = json.loads(tuned.out)
    assert summary["tune"] == "tunings/rows-mlp"
    assert summary["trials"] == 3
    assert summary["rerun"]["sentence"] in tuned.err
    assert "optimizer.lr" in tuned.err

    more = smallvision("tune", rows, "mlp", "--trials", "4", "--json", *fast)
    assert json.loads(more.out)["tune"] == summary["tune"], "the same search goes on by itself"
    assert json.loads(more.out)["trials"] == 4
    other = smallvision("tune", rows, "mlp", "--trials", "2", "--json", *fast, "--epochs", "1")
    assert json.loads(other.out)["tune"] == "tunings/rows-mlp-2", "another search, another folder"
    refused = smallvision("tune", rows, "mlp", "--out", summary["tune"], *fast)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "--resume" in refused.err

    trained = smallvision("train", rows, summary["recipe"], "--out", tmp_path / "run")
    assert trained.code == 0, trained.err
    assert 'name = "mlp-tuned"' in (tmp_path / "run" / "recipe.toml").read_text()


def test_explain_shows_what_went_wrong(smallvision: Call, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert smallvision("train", "digits", "mlp", "--out", run, *FAST).code == 0
    first = smallvision("explain", run, "digits")
    assert first.code == 0, first.err
    record = read_json(run / "errors" / "errors.json")
    status = json.loads((run / "status.json").read_text())
    assert record["n"] == status["val"]["n"]
    assert 1 - record["errors"] / record["n"] == pytest.approx(status["val"]["accuracy"])
    assert record["saliency"] == "input gradient", "an mlp has no feature maps"
    named = [*record["pairs"], *record["worst"], *record["label_issues"]["images"]]
    keys = ("file", "reverse_file", "saliency")
    files = [line[key] for line in named for key in keys if line.get(key)]
    assert {path.name for path in (run / "errors").glob("*.png")} == set(files)
    said = re.sub(r"\s+", " ", first.out)
    for line in record["slices"]:
        assert line["sentence"] in said
    assert "confused most" in said
    assert str(run / "errors") in first.out

    again = smallvision("explain", run, "digits", "--json")
    assert json.loads(again.out) == record

    unnamed = smallvision("explain", run, "--json")
    assert json.loads(unnamed.out) == record, "the run knows its data"
    assert not list(run.rglob("ledger.jsonl"))


def test_explore_says_what_follows(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    outcome = smallvision("explore", rows, "--out", tmp_path / "look")
    assert outcome.code == 0, outcome.err
    assert "accuracy is a fair metric" in re.sub(r"\s+", " ", outcome.out)
    record = json.loads((tmp_path / "look" / "exploration.json").read_text())
    assert record["n"] == 96
    assert (tmp_path / "look" / record["pictures"]["random"]).exists()


def test_doctor(smallvision: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMALLVISION_DATA", raising=False)
    outcome = smallvision("doctor")
    assert outcome.code == 0, outcome.err
    for word in ("torch", "threads", "precision", "memory", "cifar10", "not found"):
        assert word in outcome.out


def test_doctor_says_what_is_damaged_and_goes_on(smallvision: Call, tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    for split in ("train", "test"):
        (tmp_path / "cifar10" / f"{split}-0.parquet").write_bytes(b"no Parquet")
    outcome = smallvision("doctor", "--data-dir", tmp_path)
    assert outcome.code == 0, outcome.err
    for word in ("torch", "cifar10", "train-0.parquet"):
        assert word in outcome.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "cifar11"], "did you mean 'cifar10'"),
        (["study", "digits", "--resume"], "there is no studies/digits-quick to resume"),
        (["tune", "digits", "mlp", "--epochs", "200000"], "epochs is 200000"),
        (["study", "nowhere/at/all"], "neither"),
        (["study", "digits", "--preset", "quik"], "did you mean 'quick'"),
        (["study", "digits", "--set", "epoch=1"], "did you mean 'epochs'"),
        (["study", "digits", "--set", "epochs=-1"], "greater than or equal to 1"),
        (["study", "digits", "--set", "name=x"], "leave out name="),
        (["study", "digits", "--set", "model.wdth=3"], "did you mean 'model.width'"),
        (
            ["train", "digits", "mlp", "--set", "augment=[{name='crop', padding=40}]"],
            "allow at most 7",
        ),
        (["train", "digits", "mlp", "--set", "windows=[{until=0.5, side=8}]"], "of one size"),
        (["train", "digits", "mlp", "--resume"], "to resume"),
        (["train", "digits", "wrn-agu"], "did you mean 'wrn-aug'"),
        (["train", "digits", "absent.toml"], "absent.toml"),
        (["train", "digits", "mlp", "--set", "compute.device=cuda"], "not available"),
        (["tune", "digits", "mlp", "--budget", "soon"], "like 90s, 10m or 1h30m"),
        (["tune", "digits", "mlp", "--budget", "0m"], "like 90s, 10m or 1h30m"),
        (["tune", "digits", "mlp", "--storage", "foo://x"], "storage for trials cannot be used"),
        (["tune", "digits", "mlp", "--out", "absent/../new", "--storage", "x"], "storage"),
        (["tune", "digits", "mpl"], "did you mean 'mlp'"),
        (["evaluate", "nowhere", "digits"], "nowhere"),
        (["evaluate", "nowhere", "--on", "vall"], "did you mean 'val'"),
        (["ensemble", "nowhere"], "nowhere"),
        (["distill", "nowhere"], "nowhere"),
        (["classify", "nowhere", "picture.png"], "nowhere"),
        (["explain", "nowhere", "digits"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["runs", "nowhere"], "nowhere"),
        (["explore", "cifar10", "--data-dir", "nowhere"], "holds no cifar10"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    smallvision: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = smallvision(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert said in outcome.err
    left = [path for path in tmp_path.rglob("*") if "cache" not in path.parts]
    assert left == [], "nothing half-written may stay behind"


def test_windows_too_small_for_a_network_are_refused(smallvision: Call, tmp_path: Path) -> None:
    data = write_synthetic(tmp_path / "patterns.npz", 60)
    setting = "windows=[{until=0.5, side=8}]"
    outcome = smallvision("train", data, "speednet", "--out", tmp_path / "run", "--set", setting)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "too small" in outcome.err
    assert not (tmp_path / "run").exists()


def test_an_output_that_is_a_file_is_refused(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for command in (["study", rows], ["train", rows, "mlp"]):
        outcome = smallvision(*command, "--out", tmp_path / "file", *FAST)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert (tmp_path / "file").read_text() == "precious"


def test_an_output_below_a_file_is_refused(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    outcome = smallvision("train", rows, "mlp", "--out", tmp_path / "file" / "run", *FAST)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)


def test_the_command_is_installed_and_quick() -> None:
    """`--help` answers without torch, which alone takes longer than the whole answer may."""
    code = (
        "import sys; sys.argv = ['smallvision', '--help']\n"
        "from smallvision.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'scipy', 'sklearn', 'optuna'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    for command in (
        "study",
        "explore",
        "train",
        "tune",
        "ensemble",
        "distill",
        "classify",
        "explain",
        "evaluate",
        "compare",
        "report",
        "runs",
        "recipes",
        "doctor",
    ):
        assert command in outcome.stdout


def test_snapshots_of_one_run_as_an_ensemble(smallvision: Call, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "ensemble"
    settings = ["epochs=3", "schedule.name=sgdr", "schedule.cycles=3", "schedule.cycle_mult=1"]
    settings += ["stopping.patience=0", "model.hidden=[32]", "compute.threads=1"]
    assignments = [part for setting in settings for part in ("--set", setting)]
    trained = smallvision("train", "digits", "mlp", "--out", run, *assignments)
    assert trained.code == 0, trained.err

    built = smallvision("ensemble", run, "--select", "all", "--out", out, "--json")
    assert built.code == 0, built.err
    summary = json.loads(built.out)
    assert summary["ensemble"]["cost"]["size_ratio"] > 2
    assert len(summary["ensemble"]["members"]) == 3
    said = re.sub(r"\s+", " ", built.err)
    assert summary["ensemble"]["against_single"]["sentence"] in said
    assert summary["ensemble"]["averaged_weights"]["sentence"] in said
    assert "times as long as the single network" in said

    tested = smallvision("evaluate", out, "digits", "--json")
    assert tested.code == 0, tested.err
    assert json.loads(tested.out)["openings"] == 1
    assert json.loads(tested.out)["model"] == "ensemble"
    listed = smallvision("runs", tmp_path)
    assert re.search(r"ensemble +done", listed.out)

    student = tmp_path / "student"
    taught = smallvision("distill", out, "--out", student, "--set", "epochs=1", "--json")
    assert taught.code == 0, taught.err
    record = json.loads(taught.out)["distilled"]
    assert record["cost"]["size_ratio"] < 0.5
    assert record["against_teacher"]["sentence"] in re.sub(r"\s+", " ", taught.err)
    assert smallvision("evaluate", student, "--json").code == 0

    refused = smallvision("ensemble", run, "--out", out)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "already holds results" in refused.err


def test_an_ensemble_of_data_from_a_path_asks_for_it(
    smallvision: Call, rows: Path, tmp_path: Path
) -> None:
    runs = [tmp_path / "a", tmp_path / "b"]
    for run in runs:
        outcome = smallvision("train", rows, "mlp", "--out", run, *FAST)
        assert outcome.code == 0, outcome.err
    refused = smallvision("ensemble", *runs, "--out", tmp_path / "e")
    assert refused.code == 2
    assert "--data" in refused.err
    mistaken = smallvision("ensemble", *runs, "--data", "digits", "--out", tmp_path / "e")
    assert mistaken.code == 2
    assert "other images" in mistaken.err
    assert not (tmp_path / "e").exists()
    built = smallvision("ensemble", *runs, "--data", rows, "--out", tmp_path / "e")
    assert built.code == 0, built.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "--max-gap=-1"], "'--max-gap'"),
        (["train", "--seeds", "many"], "'--seeds'"),
        (["studdy"], "'study'"),
        (["train", "--sed", "1"], "--sed"),
        (["compare"], "RUN"),
    ],
)
def test_a_mistaken_option_is_one_line(smallvision: Call, arguments: list[str], said: str) -> None:
    outcome = smallvision(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert said in outcome.err
    assert len(outcome.err.splitlines()) == 1
