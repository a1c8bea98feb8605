"""Runs and test results as they show themselves in a notebook."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.schema import AllImagesRun, Record, UnfinishedRun
from smallvision.runs.results import Run
from tests.support.records import HASH, make_metrics, make_status

UNFINISHED = UnfinishedRun(
    status="running", name="tiny", data="rows", mirror_safe=True, recipe_sum=HASH
)


def make_run(folder: Path, status: Record, epochs: int = 0, **changes: object) -> Run:
    """The records of a run with so many epochs."""
    store.write(folder / "status.json", status)
    metrics = [make_metrics(epoch, **changes) for epoch in range(1, epochs + 1)]
    store.write_lines(folder / "metrics.jsonl", metrics)
    return Run(folder)


def test_a_finished_run_shows_its_accuracy_and_its_epochs(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_status(), epochs=4)
    assert "tiny: 90.0 % on 400 validation images [87.0–93.0 %], epoch 3" in repr(run)
    page = html.unescape(run._repr_html_())
    assert "tiny classifies" in page
    assert page.count("Epoch 4. Accuracy: validation 90.0\N{NO-BREAK SPACE}%") == 1
    assert run.seeds is None


def test_a_run_without_validation_shows_none(tmp_path: Path) -> None:
    unseen = {"val_loss": None, "val_accuracy": None, "val_n": 0}
    run = make_run(tmp_path, UNFINISHED, epochs=1, **unseen)
    assert repr(run).endswith("running)")
    assert "Accuracy: validation –" in html.unescape(run._repr_html_())
    done = make_status(epochs_done=1).extend(AllImagesRun, kind="all_images")
    assert "trained on all images" in repr(make_run(tmp_path, done, epochs=1, **unseen))


def test_an_ensemble_has_no_epochs(tmp_path: Path) -> None:
    assert make_run(tmp_path, make_status(kind="ensemble")).metrics == []


def test_a_finished_run_lacks_no_epoch(tmp_path: Path) -> None:
    run = make_run(tmp_path, make_status(), epochs=3)
    with pytest.raises(RecordError, match="3 lines for 4 epochs"):
        _ = run.metrics
    assert len(make_run(tmp_path, UNFINISHED, epochs=3).metrics) == 3
