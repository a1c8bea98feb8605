"""The verdicts of a kept study follow from a bit for each image and run."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import smallvision as sv
from benchmarks.hits import HITS, Hits, gather_hits
from smallvision.records import store
from smallvision.runs.results import Run

Benchmarks = Callable[..., Result]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("studies") / "small"
    plan = sv.StudyPlan(rungs=("linear", "mlp"), settings=("epochs=2",), folds=1)
    sv.run_study("digits", folder, plan)
    return folder


def test_verdicts_are_computed_again(study: Path, tmp_path: Path, benchmarks: Benchmarks) -> None:
    kept = tmp_path / "kept"
    assert benchmarks("keep", study, kept).exit_code == 0
    hits = store.read(kept / HITS, Hits)
    assert hits.runs.keys() == {"linear", "mlp"}
    for run, right in ((name, hits.unpack(name)) for name in hits.runs):
        assert right.mean() == pytest.approx(Run(study / "runs" / run).status.val.accuracy)
    result = benchmarks("verdicts", kept)
    assert result.exit_code == 0
    assert result.output.startswith("same: mlp against linear: ")
    flipped = bytearray(base64.b64decode(hits.runs["mlp"]))
    flipped[0] ^= 0xFF
    runs = {**hits.runs, "mlp": base64.b64encode(flipped).decode()}
    store.write(kept / HITS, Hits(n=hits.n, runs=runs))
    result = benchmarks("verdicts", kept)
    assert "ANOTHER: mlp against linear" in result.output
    assert result.exit_code != 0


def test_runs_that_were_judged_on_other_images_have_no_hits(study: Path, tmp_path: Path) -> None:
    shutil.copytree(study, tmp_path / "study")
    other = sv.train("digits", "mlp", settings=["epochs=1", "seed=5"], out=tmp_path / "other")
    shutil.rmtree(tmp_path / "study" / "runs" / "mlp")
    shutil.copytree(other.folder, tmp_path / "study" / "runs" / "mlp")
    assert gather_hits(tmp_path / "study") is None
