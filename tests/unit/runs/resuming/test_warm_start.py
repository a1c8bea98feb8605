"""A run whose first cycles another run has been through goes on from its end, to the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smallvision.data.dataset import DataSet
from smallvision.records import store
from smallvision.records.layout import checkpoint_folder, list_checkpoints, list_ends
from smallvision.records.schema import ComputeSettings
from smallvision.runs.job import TrainingSplit
from smallvision.runs.train import run_recipe
from tests.support.runs import (
    TrainedEpochs,
    make_job,
    make_recipe,
    read_bits,
    read_metrics,
    train_tiny,
)


def go_on(dataset: DataSet, shorter: Path, folder: Path, **changes: Any) -> list[int]:
    """Train a run from the end of another, if it may; returns the epochs that it trained itself."""
    trained = TrainedEpochs()
    longer = make_recipe(epochs=6, name="longer", checkpoints="all", **changes)
    status = run_recipe(longer, make_job(dataset, folder, trained), TrainingSplit(shorter))
    assert [line.epoch for line in read_metrics(folder)] == [1, 2, 3, 4, 5, 6]
    assert (len(trained.seen) == 4) == any("not trained again" in note for note in status.notes)
    return trained.seen


@pytest.mark.parametrize("averaging", ["none", "ema"])
@pytest.mark.parametrize("schedule", [{"name": "linear"}, {"name": "sgdr", "cycle_mult": 1}])
def test_going_on_from_another_runs_end_gives_the_same_bits(
    dataset: DataSet, tmp_path: Path, schedule: dict[str, Any], averaging: str
) -> None:
    same = {
        "averaging": {"name": averaging},
        "augment": ["flip", "cutmix"],
        "unmixed_fraction": 0.5,
    }
    short = {**same, "epochs": 2, "schedule": {**schedule, "cycles": 1}}
    long = {**same, "schedule": {**schedule, "cycles": 3}}
    train_tiny(dataset, tmp_path / "short", **short)
    assert go_on(dataset, tmp_path / "short", tmp_path / "after", **long) == [3, 4, 5, 6]
    nowhere = tmp_path / "nowhere"
    assert go_on(dataset, nowhere, tmp_path / "whole", **long) == [1, 2, 3, 4, 5, 6]
    after, whole = read_bits(tmp_path / "after"), read_bits(tmp_path / "whole")
    del whole["files"]["checkpoints/001/model.safetensors"]
    assert after["metrics"] == whole["metrics"]
    assert after["files"].items() <= whole["files"].items()


def test_going_on_keeps_the_ends_of_all_cycles(dataset: DataSet, tmp_path: Path) -> None:
    """Each is offered to an ensemble, the best of them or not."""
    schedule = {"name": "linear", "cycles": 2}
    train_tiny(dataset, tmp_path / "short", epochs=4, schedule=schedule)
    long = make_recipe(epochs=6, name="longer", schedule={**schedule, "cycles": 3})
    for base in (tmp_path / "short", None):
        folder = tmp_path / f"long-{base is None}"
        run_recipe(long, make_job(dataset, folder), TrainingSplit(base))
        assert set(list_ends(folder)) == {2, 4, 6} <= set(list_checkpoints(folder))


def test_going_on_loses_patience_where_the_whole_run_would(
    dataset: DataSet, tmp_path: Path
) -> None:
    """With so small a rate nothing changes: the whole run ends where its patience is spent."""
    linear = {"name": "linear"}
    still = {
        "optimizer": {"name": "sgd", "lr": 1e-12},
        "stopping": {"patience": 2, "unit": "epochs"},
        "model": {"name": "mlp", "hidden": [4]},
    }
    found = train_tiny(dataset, tmp_path / "found", epochs=30, schedule=linear, **still)
    last = found.epochs_done
    short = train_tiny(dataset, tmp_path / "short", epochs=last, schedule=linear, **still)
    assert short.stopped == "reached the planned end"
    long = make_recipe(epochs=2 * last, schedule={**linear, "cycles": 2}, **still)
    ends = [
        run_recipe(long, make_job(dataset, tmp_path / f"{base is None}"), TrainingSplit(base))
        for base in (tmp_path / "short", None)
    ]
    assert [end.epochs_done for end in ends] == [last, last]
    assert ends[0].stopped == ends[1].stopped


ONE_CYCLE = {"name": "sgdr", "cycles": 1, "cycle_mult": 1}
THREE_CYCLES = {**ONE_CYCLE, "cycles": 3}


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ({"seed": 1}, {}),
        ({"averaging": {"name": "swa"}}, {"averaging": {"name": "swa"}}),
        ({}, {"schedule": {**THREE_CYCLES, "cycle_mult": 2}}),
        ({}, {"schedule": {**THREE_CYCLES, "warmup_epochs": 1}}),
    ],
)
def test_a_run_goes_on_from_no_other_end_than_its_own(
    dataset: DataSet, tmp_path: Path, shorter: dict[str, Any], longer: dict[str, Any]
) -> None:
    train_tiny(dataset, tmp_path / "short", epochs=2, schedule=ONE_CYCLE, **shorter)
    own = {"schedule": THREE_CYCLES, **longer}
    assert len(go_on(dataset, tmp_path / "short", tmp_path / "after", **own)) == 6


ELSEWHERE = ComputeSettings(device="cpu", precision="fp32", compiled=False, threads=99)


@pytest.mark.parametrize(
    "event",
    [{"moved": True}, {"slowdown": 0.5}, {"micro_batch": 8}, {"compute": ELSEWHERE}],
    ids=lambda event: next(iter(event)),
)
def test_a_run_goes_on_from_none_that_something_happened_to(
    dataset: DataSet, tmp_path: Path, event: dict[str, Any]
) -> None:
    status = train_tiny(dataset, tmp_path / "short", epochs=2, schedule=ONE_CYCLE)
    store.write(tmp_path / "short" / "status.json", status.change(**event))
    after = go_on(dataset, tmp_path / "short", tmp_path / "after", schedule=THREE_CYCLES)
    assert len(after) == 6


def test_a_run_goes_on_from_no_damaged_end(dataset: DataSet, tmp_path: Path) -> None:
    one = {"name": "linear", "cycles": 1}
    train_tiny(dataset, tmp_path / "short", epochs=2, schedule=one)
    weights = checkpoint_folder(tmp_path / "short", 2) / "state.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    three = {**one, "cycles": 3}
    assert len(go_on(dataset, tmp_path / "short", tmp_path / "after", schedule=three)) > 4
