"""The recipe of a finished run once more, on all labelled images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import FailedRunError
from smallvision.predict import load_model
from smallvision.records.layout import read_status
from smallvision.records.model_folders import find_final
from smallvision.records.schema import ValidatedRun
from smallvision.runs.refit import load_final, refit_run
from tests.support.faults import inject
from tests.support.models import FP32
from tests.support.runs import SINGLE, make_job, read_metrics, train_tiny


def test_a_refit_trains_on_all_images_and_chooses_nothing(dataset: DataSet, tmp_path: Path) -> None:
    run = tmp_path / "run"
    validated = train_tiny(dataset, run, **SINGLE)
    job = make_job(dataset, run)
    assert find_final(run) == (run, None)
    folder = refit_run(run, job)
    assert find_final(run) == (folder, run)
    status = read_status(folder)
    assert isinstance(status, ValidatedRun)
    assert status.kind == "refit"
    assert status.train.n == len(job.split.train) + len(job.split.val)
    for known in ("val", "gap", "calibration"):
        assert getattr(status, known) == getattr(validated, known)
    assert "training split alone" in status.notes[-1]
    assert {line.val_accuracy for line in read_metrics(folder)} == {None}
    assert not (folder / "predictions").exists()
    ours, theirs = load_model(folder, FP32), load_model(run, FP32)
    assert ours.temperature == theirs.temperature
    assert ours.fingerprint != theirs.fingerprint
    images = dataset.train.take(np.concatenate([job.split.train, job.split.val])).images / 255
    assert ours.mean == pytest.approx(images.mean(axis=(0, 2, 3)))
    final, beside = load_final(run)
    assert beside is not None
    assert (final.fingerprint, beside.fingerprint) == (ours.fingerprint, theirs.fingerprint)


def test_a_refit_that_is_finished_is_left_as_it_is(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path, **SINGLE)
    job = make_job(dataset, tmp_path)
    folder = refit_run(tmp_path, job)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert refit_run(tmp_path, job) == folder
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_refit_that_failed_is_not_the_final_model(dataset: DataSet, tmp_path: Path) -> None:
    train_tiny(dataset, tmp_path, **SINGLE)
    with inject({1}, "loss"), pytest.raises(FailedRunError, match="nan"):
        refit_run(tmp_path, make_job(dataset, tmp_path))
    assert read_status(tmp_path / "refit").status == "failed"
    assert find_final(tmp_path) == (tmp_path, None)
