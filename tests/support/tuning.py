"""Tiny searches: the recipe of a multilayer perceptron, its search, and records of searches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.recipes import Recipe, parse_recipe
from smallvision.records.schema import FloatRange, TrialRecord, TuningRecord
from smallvision.training import Callback
from smallvision.tuning.tune import SearchOptions, tune_recipe
from tests.support.runs import make_job


def make_mlp_recipe(**changes: Any) -> Recipe:
    """A recipe with a warm-up, of which a run takes a moment."""
    values: dict[str, Any] = {
        "name": "tiny",
        "epochs": 4,
        "batch_size": 16,
        "model": {"name": "mlp", "hidden": [8]},
        "optimizer": {"name": "sgd", "lr": 0.02},
        "schedule": {"name": "cosine", "warmup_epochs": 1.0},
        "compute": {"threads": 1},
    }
    return parse_recipe({**values, **changes})


def tune_tiny(dataset: DataSet, folder: Path, *callbacks: Callback, **options: Any) -> TuningRecord:
    """Search around that recipe, with these fields of the search's options."""
    job = make_job(dataset, folder, *callbacks)
    return tune_recipe(make_mlp_recipe(), job, SearchOptions(**options))


def read_decisions(record: TuningRecord) -> list[dict[str, Any]]:
    """Everything a search decides, but for the clock."""
    return [trial.model_dump(exclude={"seconds"}) for trial in record.trials]


def make_trial(number: int, **changes: Any) -> TrialRecord:
    """A trial of a search that ran to the end."""
    fields: dict[str, Any] = {
        "values": {"optimizer.lr": 0.02},
        "state": "complete",
        "accuracy": 0.9,
        "epochs": 2,
        "seconds": 1.0,
        "note": None,
    }
    return TrialRecord(number=number, **(fields | changes))


def make_tuning_record(*trials: TrialRecord, **changes: Any) -> TuningRecord:
    """The record of a search that has finished these trials."""
    fields: dict[str, Any] = {
        "recipe": "tiny",
        "epochs": 2,
        "trials_asked": len(trials),
        "sampler": "TPE",
        "startup_trials": 5,
        "pruner": "successive halving",
        "space": (FloatRange(key="optimizer.lr", low=0.004, high=0.1, log=True),),
        "trials": trials,
    }
    return TuningRecord(**(fields | changes))
