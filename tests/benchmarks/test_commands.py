"""`smallvision bench` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import app
from smallvision.errors import RecordError, UserError
from smallvision.reporting.page import write_page


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_step_then_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('batch_size = 8\n[model]\nname = "mlp"\nhidden = [8]\n')
    told = run("step", str(recipe), "--rounds", "1")
    assert "GFLOP/s" in told
    record = json.loads((tmp_path / "bench" / "step.json").read_text())
    assert record["command"].startswith("smallvision")
    assert run("report").strip() == "bench/report.html"
    page = (tmp_path / "bench" / "report.html").read_text()
    assert "Training steps" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["accuracy", "digits", "--target", "0.99"], "recipes were made for 0.93, 0.94, 0.96"),
        (["accuracy", "digits", "--on", "train"], "expected val or test"),
        (["accuracy", "digits"], "do not fit images of 8x8"),
        (["step", "wrn", "--set", "micro_batch=4"], "batch norm needs"),
        (["accuracy", "digits", "--set", "epoch=3"], "unknown setting 'epoch'"),
        (["pipeline", "digits"], "has no colours"),
        (["step", "wrn-au"], "unknown recipe 'wrn-au'"),
        (["step", "wrn", "wrn"], "two recipes have one name"),
        (["predict", "nowhere"], "nowhere"),
        (["report", "nowhere"], "holds no measurement"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [*arguments])
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir()), "nothing was written"


def test_where_records_cannot_go_is_found_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "benchmarks.throughput.step.bench_step", lambda *_, **__: pytest.fail("measured")
    )
    (tmp_path / "file").write_text("mine")
    result = CliRunner().invoke(app, ["step", "mlp", "--out", str(tmp_path / "file")])
    assert isinstance(result.exception, UserError)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_run_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"status": "running"}')
    result = CliRunner().invoke(app, ["predict", str(tmp_path)])
    assert "holds no model; is the run finished?" in str(result.exception)


def test_compiled_steps_need_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["step", "mlp", "--compiled", "--out", str(out)])
    assert "no C++ compiler was found" in str(result.exception)
    assert not out.exists()


def test_recipes_that_compute_differently_are_not_timed_as_one(tmp_path: Path) -> None:
    for threads in (1, 2):
        text = f'[model]\nname = "mlp"\n[compute]\nthreads = {threads}\n'
        (tmp_path / f"{threads}.toml").write_text(text)
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    result = CliRunner().invoke(app, ["step", *paths, "--out", str(tmp_path / "out")])
    assert "must agree on `compute`" in str(result.exception)


def test_a_page_replaces_nothing_but_a_page(tmp_path: Path) -> None:
    record = tmp_path / "step.json"
    record.write_text('{"kind": "step"}')
    report = ["report", str(tmp_path)]
    result = CliRunner().invoke(app, report)
    assert "step.json is not as `bench` writes it" in str(result.exception)
    page = tmp_path / "page.html"
    write_page(page, "<!doctype html><p>one")
    write_page(page, "<!doctype html><p>two")
    assert "two" in page.read_text()
    with pytest.raises(RecordError, match="is no page"):
        write_page(record, "<!doctype html>")
    assert record.read_text() == '{"kind": "step"}'
