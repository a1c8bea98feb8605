"""Tiny runs: a recipe, a job, what a run decides, and callbacks that stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from smallvision.data.dataset import DataSet
from smallvision.data.split import make_split
from smallvision.recipes import Recipe, parse_recipe
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.schema import EpochMetrics, ValidatedRun
from smallvision.runs.job import Job, TrainingSplit
from smallvision.runs.train import run_recipe
from smallvision.training import Callback, Callbacks, State

# Settings of the runs that ensembles are made of: one in three cycles, and one in a single cycle
# of another architecture.
SNAPSHOTS: dict[str, Any] = {
    "epochs": 3,
    "schedule": {"name": "sgdr", "cycles": 3, "cycle_mult": 1},
    "tta": {"mirror": True, "shift": 1},
    "compute": {"threads": 1, "precision": "fp32"},
}
SINGLE: dict[str, Any] = {
    "epochs": 1,
    "model": {"name": "mlp", "hidden": [8]},
    "compute": SNAPSHOTS["compute"],
}


def make_recipe(**changes: Any) -> Recipe:
    """A recipe of seconds, with other values of some settings."""
    values: dict[str, Any] = {
        "name": "tiny",
        "epochs": 4,
        "batch_size": 16,
        "model": {"name": "wide_resnet", "depth": 10, "width": 1, "dropout": 0.2},
        "augment": ["flip", {"name": "crop", "padding": 1}],
        "schedule": {"name": "sgdr", "cycles": 2, "cycle_mult": 1},
        "stopping": {"patience": 0},
        "compute": {"threads": 1},
    }
    return parse_recipe({**values, **changes})


def make_job(dataset: DataSet, folder: Path, *callbacks: Callback, split_seed: int = 0) -> Job:
    """A job on the usual split of a data set."""
    split = make_split(dataset.train, seed=split_seed)
    return Job(dataset, split, folder, Callbacks(callbacks))


def train_tiny(
    dataset: DataSet, folder: Path, *callbacks: Callback, split_seed: int = 0, **changes: Any
) -> ValidatedRun:
    """Train a tiny recipe on the training split."""
    job = make_job(dataset, folder, *callbacks, split_seed=split_seed)
    return run_recipe(make_recipe(**changes), job, TrainingSplit())


def train_in_two_sessions(
    dataset: DataSet, folder: Path, epoch: int, **changes: Any
) -> ValidatedRun:
    """Train a tiny recipe, interrupted amid the epoch after this one, and then to its end."""
    with pytest.raises(KeyboardInterrupt):
        train_tiny(dataset, folder, Interrupt(epoch), **changes)
    return train_tiny(dataset, folder, **changes)


def read_metrics(folder: Path) -> list[EpochMetrics]:
    """The epochs of a run."""
    return store.read_lines(folder / "metrics.jsonl", EpochMetrics)


def read_bits(folder: Path) -> dict[str, Any]:
    """Everything a run decides, but for the clock."""
    metrics = [
        line.model_dump(exclude={"seconds", "images_per_second"}) for line in read_metrics(folder)
    ]
    files = {
        str(path.relative_to(folder)): hash_file(path)
        for path in [*folder.rglob("*.safetensors"), folder / "predictions" / "val.npz"]
    }
    return {"metrics": metrics, "files": files}


class Interrupt(Callback):
    """Stops the process's work after an epoch, as a kill would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_step(self, epoch: int, step: int, loss: Tensor, lr: float) -> None:
        if epoch == self.epoch + 1 and step == 2:
            raise KeyboardInterrupt


class TrainedEpochs(Callback):
    """Notes which epochs were trained."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_epoch(self, metrics: EpochMetrics, state: State) -> None:
        self.seen.append(metrics.epoch)
