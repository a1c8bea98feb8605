"""`smallvision bench` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smallvision.cli.main import app


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["bench", *arguments])
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
    result = CliRunner().invoke(app, ["bench", *arguments])
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not list(tmp_path.iterdir()), "nothing was written"
