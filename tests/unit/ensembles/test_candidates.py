"""Which networks a run offers to an ensemble, and which runs belong together."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.ensembles.candidates import (
    collect_notes,
    find_candidates,
    find_member,
    list_snapshots,
    sum_training,
)
from smallvision.errors import UserError
from smallvision.records import store
from smallvision.records.layout import STATUS, read_status
from smallvision.records.schema import ModelRecord, UnfinishedRun
from smallvision.records.weights import load_tensors, save_tensors
from smallvision.runs.finished_run import find_validated
from tests.support.ensembles import build_tiny
from tests.support.images import make_dataset
from tests.support.models import FP32
from tests.support.runs import SINGLE, train_tiny


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run in three cycles, to be changed."""
    return shutil.copytree(trained / "snapshots", tmp_path / "runs" / "snapshots")


def test_weights_averaged_in_training_are_preferred(run: Path) -> None:
    folder = run / "checkpoints" / "002"
    plain = load_tensors(folder, "model")
    average = {name: tensor * 0 for name, tensor in plain.items()}
    save_tensors(folder, {"model": plain, "average": average}, {})
    found = {candidate.model.epoch: candidate.model for candidate in find_candidates(run, FP32)}
    assert not any(parameter.any() for parameter in found[2].network.parameters())
    assert any(parameter.any() for parameter in found[3].network.parameters())


def test_which_networks_a_run_offers(run: Path, trained: Path) -> None:
    assert list_snapshots(trained / "snapshots") == [1, 2, 3]
    assert list_snapshots(trained / "single") == []
    shutil.rmtree(run / "checkpoints" / "001")
    assert list_snapshots(run) == [2, 3]
    shutil.rmtree(run / "checkpoints" / "002")
    best = find_validated(run)[1].best_epoch
    assert [candidate.model.epoch for candidate in find_candidates(run, FP32)] == [best]


def test_a_member_is_found_again_by_its_epoch(trained: Path) -> None:
    candidates = find_candidates(trained / "snapshots", FP32)
    assert find_member(candidates, 2).model.epoch == 2
    assert find_member(candidates, 7).model.epoch == 3, "the last, where no such epoch was kept"


def test_candidates_are_not_calibrated_on_their_own(trained: Path) -> None:
    for name in ("snapshots", "single"):
        for candidate in find_candidates(trained / name, FP32):
            assert candidate.model.temperature == 1.0


def test_training_is_summed_over_runs_and_notes_are_told_once(trained: Path, run: Path) -> None:
    runs = [trained / "single", run]
    store.write(run / STATUS, find_validated(run)[1].change(notes=("a", "b")))
    statuses = [find_validated(place)[1] for place in runs]
    total = sum_training(runs)
    assert (total.epochs_planned, total.epochs_done) == (4, 4)
    assert total.seconds == sum(status.seconds for status in statuses)
    assert collect_notes([run, run]) == ["a", "b"]


def refuse(rows: DataSet, folder: Path, *runs: Path, match: str) -> None:
    """Check that an ensemble of these runs is refused, and that nothing is written."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(UserError, match=match) as caught:
        build_tiny(rows, folder, *runs)
    assert caught.value.exit_code == 2
    assert sorted(folder.parent.rglob("*")) == before, "nothing is written"


def test_one_network_is_no_ensemble(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    refuse(rows, tmp_path / "out", trained / "single", match="offers one network")


def test_runs_of_other_images_or_another_split_are_refused(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    run, out = trained / "snapshots", tmp_path / "out"
    train_tiny(rows, tmp_path / "other-split", split_seed=9, **SINGLE)
    refuse(rows, out, run, tmp_path / "other-split", match="another split")
    train_tiny(make_dataset(150, seed=4), tmp_path / "other-data", **SINGLE)
    refuse(rows, out, run, tmp_path / "other-data", match="other data")


def test_a_member_that_was_normalised_otherwise_is_refused(
    rows: DataSet, trained: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(trained / "single", tmp_path / "changed")
    about = store.read(changed / "model" / "model.json", ModelRecord)
    tensors = load_tensors(changed / "model", "model")
    save_tensors(changed / "model", {"model": tensors}, {"model": about.change(mean=(0.5,))})
    refuse(rows, tmp_path / "out", trained / "snapshots", changed, match="differ in mean")


def test_unfinished_and_missing_runs_are_refused(
    rows: DataSet, trained: Path, run: Path, tmp_path: Path
) -> None:
    running = read_status(run).extend(UnfinishedRun, status="running")
    store.write(run / STATUS, running)
    out = tmp_path / "out"
    refuse(rows, out, trained / "single", run, match="not finished")
    refuse(rows, out, trained / "single", tmp_path / "nowhere", match="missing")


def test_an_ensemble_is_no_member(rows: DataSet, trained: Path, tmp_path: Path) -> None:
    build_tiny(rows, tmp_path / "e", trained / "snapshots")
    refuse(
        rows, tmp_path / "out", trained / "snapshots", tmp_path / "e", match="an ensemble itself"
    )


def test_a_damaged_snapshot_is_refused(rows: DataSet, run: Path, tmp_path: Path) -> None:
    weights = run / "checkpoints" / "002" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-3] ^= 1
    weights.write_bytes(content)
    refuse(rows, tmp_path / "out", run, match="damaged")
    save_tensors(weights.parent, {"model": {}}, {})
    refuse(rows, tmp_path / "out", run, match="stem.weight is missing")


def test_a_snapshot_that_is_not_finite_is_refused(rows: DataSet, run: Path, tmp_path: Path) -> None:
    folder = run / "checkpoints" / "002"
    tensors = load_tensors(folder, "model")
    tensors["head.bias"][0] = float("nan")
    save_tensors(folder, {"model": tensors}, {})
    refuse(rows, tmp_path / "out", run, match="checkpoint 2 .* head.bias holds NaN")
