"""The refit of an ensemble: the runs of its members once more, on all labelled images."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.ensembles import refit
from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.ensembles.refit import refit_finished
from smallvision.errors import RecordError
from smallvision.predict import load_model
from smallvision.records.files import hash_file
from smallvision.records.layout import read_status
from smallvision.records.schema import ValidatedRun
from smallvision.runs.refit import find_final
from tests.support.images import make_dataset
from tests.support.models import FP32
from tests.support.runs import SINGLE, SNAPSHOTS, make_job, train_tiny


def test_a_refit_ensemble_has_the_same_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, folder = make_dataset(150), tmp_path / "ensemble"
    run = folder / "members" / "snapshots"
    train_tiny(dataset, run, name="snapshots", **SNAPSHOTS)
    job, options = make_job(dataset, folder), EnsembleOptions(select="all")
    build_ensemble([run], job, options)

    with monkeypatch.context() as patch:

        def kill(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(refit, "join_members", kill)
        with pytest.raises(KeyboardInterrupt):
            refit_finished(folder, job)
    assert find_final(folder) == (folder, None), "a killed refit is none"
    before = hash_file(run / "refit" / "model" / "manifest.json")
    final = refit_finished(folder, job)
    assert hash_file(run / "refit" / "model" / "manifest.json") == before
    assert len(load_model(final, FP32).network.members) == 3
    status = read_status(final)
    assert isinstance(status, ValidatedRun)
    assert status.train.n == len(job.split.train) + len(job.split.val)
    assert status.epochs_done == 3
    assert refit_finished(folder, job) == final

    with pytest.raises(RecordError, match="trained on the validation images too"):
        build_ensemble([run / "refit"], job.at(tmp_path / "other"), options)


def test_a_single_run_is_refit_as_a_run(tmp_path: Path) -> None:
    dataset = make_dataset(150)
    train_tiny(dataset, tmp_path, **SINGLE)
    final = refit_finished(tmp_path, make_job(dataset, tmp_path))
    assert find_final(tmp_path) == (final, tmp_path)
