"""The recipe once more on all labelled images: of a run, and of an ensemble."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.ensembles import refit
from smallvision.ensembles.build import build_ensemble
from smallvision.ensembles.refit import refit_finished
from smallvision.errors import RecordError
from smallvision.predict import load_model
from smallvision.records.files import hash_file, read_json, read_jsonl
from smallvision.runs.refit import find_final, refit_run
from tests.support.images import make_dataset
from tests.support.models import FP32
from tests.unit.ensembles.test_build import SINGLE, SNAPSHOTS, train


@pytest.fixture
def rows() -> DataSet:
    return make_dataset(150)


def test_a_refit_trains_on_all_and_judges_nothing(rows: DataSet, tmp_path: Path) -> None:
    run = train(rows, tmp_path / "run", **SINGLE)
    split = make_split(rows.train)
    assert find_final(run) == (run, None)
    folder = refit_run(run, rows, split)
    assert find_final(run) == (folder, run)
    status, twin = read_json(folder / "status.json"), read_json(run / "status.json")
    assert status["kind"] == "refit"
    assert status["train"]["n"] == len(split.train) + len(split.val)
    for known in ("val", "gap", "calibration"):
        assert status[known] == twin[known]
    assert "twin" in status["notes"][-1]
    assert {line["val_accuracy"] for line in read_jsonl(folder / "metrics.jsonl")} == {None}
    assert not (folder / "predictions").exists()
    ours, theirs = load_model(folder, FP32), load_model(run, FP32)
    assert ours.temperature == theirs.temperature
    assert ours.fingerprint != theirs.fingerprint
    images = rows.train.take(np.concatenate([split.train, split.val])).images / 255
    assert ours.mean == pytest.approx(images.mean(axis=(0, 2, 3)))


def test_a_refit_ensemble_has_the_same_epochs(
    rows: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, folder = tmp_path / "ensemble" / "members" / "snapshots", tmp_path / "ensemble"
    train(rows, run, name="snapshots", **SNAPSHOTS)
    split = make_split(rows.train)
    build_ensemble([run], rows, split, folder, select="all")

    with monkeypatch.context() as patch:

        def kill(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(refit, "join_members", kill)
        with pytest.raises(KeyboardInterrupt):
            refit_finished(folder, rows, split)
    assert find_final(folder) == (folder, None), "a killed refit is none"
    before = hash_file(run / "refit" / "model" / "manifest.json")
    final = refit_finished(folder, rows, split)
    assert hash_file(run / "refit" / "model" / "manifest.json") == before
    assert len(load_model(final, FP32).network.members) == 3
    status = read_json(final / "status.json")
    assert status["train"]["n"] == len(split.train) + len(split.val)
    assert status["epochs_done"] == 3
    assert refit_finished(folder, rows, split) == final

    with pytest.raises(RecordError, match="trained on the validation images too"):
        build_ensemble([run / "refit"], rows, split, tmp_path / "other")
