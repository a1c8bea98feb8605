"""`smallvision export`: what is printed, where it goes, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import ExportRecord
from smallvision.serving.runner import Runner
from tests.support.commands import FAST, Outcome, assert_refused
from tests.support.images import write_dataset

Call = Callable[..., Outcome]


@pytest.fixture
def run(smallvision: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that remembers where its images are, in the working folder."""
    monkeypatch.chdir(tmp_path)
    data = write_dataset(tmp_path / "rows.npz")
    assert not smallvision("train", data, "linear", "--out", "runs/rows", *FAST).code
    return Path("runs/rows")


def test_a_run_leaves_its_folder(smallvision: Call, run: Path, tmp_path: Path) -> None:
    """In a process of its own: no library says a word, not even on stderr."""
    environment = {**os.environ, "COLUMNS": "80", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "smallvision", "export", str(run), "--licence", "mit"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert (done.returncode, done.stderr) == (0, "")
    title, check, place = done.stdout.splitlines()
    assert title.startswith("rows as ONNX, fp32 (")
    assert "all of 24 validation images" in check
    assert place == "Export: exports/rows"
    assert Runner("exports/rows/model.onnx").about.licence == "mit"

    outcome = smallvision("export", run, "--to", "torch", "--layout", "nchw", "--json")
    assert not outcome.code, outcome.err
    told = outcome.json
    assert told["export"] == "exports/rows-2"
    record = store.read(tmp_path / "exports" / "rows-2" / "export.json", ExportRecord)
    fields = {name: told[name] for name in told if name not in ("export", "address")}
    assert fields == json.loads(record.model_dump_json())
    assert record.model.layout == "nchw"
    assert "a torch program" in outcome.err

    outcome = smallvision("export", run, "--fp16", "--tolerance", "1", "--out", "small")
    assert "before" in outcome.out
    assert (tmp_path / "small" / "model.onnx").exists()
    assert_refused(smallvision("export", run, "--out", "small"), "is not empty")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("absent",), "absent"),
        (("cifar10", "--int8", "--fp16"), "name one of them"),
        (("cifar10", "--int8"), "--data"),
        (("cifar10", "--to", "tflite"), "'tflite'"),
        (("cifar10", "--tolerance", "2"), "tolerance"),
        (("cifar10", "--to", "torch", "--fp16"), "leave one of the two out"),
        (("cifar10", "--push", "me/it"), "--to hub"),
        (("cifar10", "--to", "hub", "--push", "me"), "expected ACCOUNT/NAME"),
        (("cifar10", "--data", "digits"), "other classes"),
        (("cifar10", "--out", "taken"), "is a file"),
    ],
)
def test_what_cannot_be_exported(
    smallvision: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").touch()
    assert_refused(smallvision("export", *arguments), said)
    assert sorted(path.name for path in tmp_path.iterdir()) in (["taken"], ["cache", "taken"])
