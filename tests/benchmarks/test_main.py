"""The command line `python -m benchmarks`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from benchmarks.records import ROOT
from smallvision.errors import UserError

Benchmarks = Callable[..., Result]


def test_step_then_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Benchmarks
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.toml").write_text('batch_size = 8\n[model]\nname = "mlp"\nhidden = [8]\n')
    told = benchmarks("step", "tiny.toml", "--rounds", "1")
    assert told.exit_code == 0, told.output
    assert "GFLOP/s" in told.output
    record = json.loads(Path("bench/step.json").read_text())
    assert record["command"].startswith("python -m benchmarks")
    assert list(record["steps"]) == ["tiny"]
    assert benchmarks("report").output.strip() == "bench/report.html"
    assert "Training steps" in Path("bench/report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["accuracy", "digits", "--target", "0.99"], "recipes were made for 0.93, 0.94, 0.96"),
        (["accuracy", "digits", "--on", "train"], "expected val or test"),
        (["accuracy", "digits"], "do not fit images of 8x8"),
        (["step", "wrn", "--set", "micro_batch=4"], "batch norm needs"),
        (["accuracy", "digits", "--set", "epoch=3"], "unknown setting 'epoch'"),
        (["pipeline", "digits"], "expects RGB images"),
        (["step", "wrn-au"], "unknown recipe 'wrn-au'"),
        (["step", "wrn", "wrn"], "two recipes have one name"),
        (["subsets", "digits", "--methods", "svm"], "unknown method 'svm'; did you mean 'svc'"),
        (["subsets", "digits", "--methods", "svc,tutorial-cnn"], "add speednet"),
        (["subsets", "digits", "--sizes", "1k"], "write it like 1000,5000"),
        (["subsets", "digits", "--sizes", "1400,1500"], "expected fewer than the 1,438 training"),
        (["subsets", "digits", "--sizes", "1000", "--budget", "20s"], "name a longer --budget"),
        (["convolutions", "--precision", "fp16"], "expected fp32 or bf16"),
        (["predict", "nowhere"], "nowhere"),
        (["report", "nowhere"], "holds no measurement"),
        (["gpu", "race", ".", ".", ".", "--target", "0.95"], "expected 0.94 or 0.96"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    benchmarks: Benchmarks,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = benchmarks(*arguments)
    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir()), "nothing was written"


def test_an_error_ends_in_a_line_and_its_code() -> None:
    command = [sys.executable, "-m", "benchmarks", "report", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.startswith("error: nowhere holds no measurement")
    assert done.stderr.count("\n") == 1


def test_where_records_cannot_go_is_found_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Benchmarks
) -> None:
    measure = "benchmarks.throughput.step.measure_steps"
    monkeypatch.setattr(measure, lambda *_, **__: pytest.fail("measured"))
    (tmp_path / "file").write_text("mine")
    result = benchmarks("step", "mlp", "--out", tmp_path / "file")
    assert isinstance(result.exception, UserError)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_run_without_a_model_is_named(tmp_path: Path, benchmarks: Benchmarks) -> None:
    (tmp_path / "status.json").write_text('{"status": "running"}')
    result = benchmarks("predict", tmp_path)
    assert "holds no model; is the run finished?" in str(result.exception)


def test_compiled_steps_need_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: Benchmarks
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "out"
    result = benchmarks("step", "mlp", "--compiled", "--out", out)
    assert "no C++ compiler was found" in str(result.exception)
    assert not out.exists()


def test_recipes_that_compute_differently_are_not_timed_as_one(
    tmp_path: Path, benchmarks: Benchmarks
) -> None:
    for threads in (1, 2):
        text = f'[model]\nname = "mlp"\n[compute]\nthreads = {threads}\n'
        (tmp_path / f"{threads}.toml").write_text(text)
    result = benchmarks("step", *sorted(tmp_path.iterdir()), "--out", tmp_path / "out")
    assert "must agree on `compute`" in str(result.exception)
