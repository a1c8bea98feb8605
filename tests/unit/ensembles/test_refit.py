"""An ensemble once more, on all labelled images."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.ensembles import refit
from smallvision.ensembles.refit import refit_finished
from smallvision.errors import RecordError
from smallvision.predict import load_model
from smallvision.records.files import hash_file
from smallvision.records.model_folders import find_final
from smallvision.runs.finished_run import find_validated
from tests.support.ensembles import build_tiny
from tests.support.models import FP32
from tests.support.runs import make_job


def test_a_refit_ensemble_has_the_same_epochs(
    rows: DataSet, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, folder = tmp_path / "ensemble" / "members" / "snapshots", tmp_path / "ensemble"
    shutil.copytree(trained / "snapshots", run)
    validated = build_tiny(rows, folder, run, select="all")
    job = make_job(rows, folder)

    with monkeypatch.context() as patch:

        def kill(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(refit, "join_members", kill)
        with pytest.raises(KeyboardInterrupt):
            refit_finished(folder, job)
    assert find_final(folder) == (folder, None), "a killed refit is none"
    before = hash_file(run / "refit" / "model" / "manifest.json")
    final = refit_finished(folder, job)
    assert find_final(folder) == (final, folder)
    assert hash_file(run / "refit" / "model" / "manifest.json") == before
    assert len(load_model(final, FP32).network.members) == 3
    status = find_validated(final)[1]
    assert status.kind == "refit"
    assert status.train.n == len(job.split.train) + len(job.split.val)
    assert status.epochs_done == 3
    assert (status.val, status.calibration) == (validated.val, validated.calibration)
    assert refit_finished(folder, job) == final

    with pytest.raises(RecordError, match="trained on the validation images too"):
        build_tiny(rows, tmp_path / "other", run / "refit")


def test_the_refit_of_a_trained_run_is_its_own(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(trained / "single", tmp_path / "run")
    folder = refit_finished(run, make_job(rows, run))
    assert find_final(run) == (folder, run)
    assert find_validated(folder)[1].kind == "refit"


def test_a_refit_stays_inside_the_ensemble_s_folder(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "ensemble"
    shutil.copytree(trained / "snapshots", victim)
    build_tiny(rows, folder, victim, select="all")
    with pytest.raises(RecordError, match=r"names the run \.\./victim, which is outside"):
        refit_finished(folder, make_job(rows, folder))
    assert not (victim / "refit").exists()
