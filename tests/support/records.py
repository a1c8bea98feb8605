"""Records with plausible figures, of which a test changes what it is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from smallvision.records.schema import (
    Calibration,
    DataDescription,
    EpochMetrics,
    Goal,
    Limits,
    Rate,
    Reliability,
    ReliabilityBin,
    RungRecord,
    SplitRecord,
    StudyRecord,
    TrainingCourse,
    ValidatedRun,
)

HASH, OTHER_HASH = "sha256:" + "0" * 64, "sha256:" + "1" * 64


def make_rate(accuracy: float = 0.9, n: int = 400, loss: float = 0.3) -> Rate:
    """An accuracy with a rough interval."""
    return Rate(
        accuracy=accuracy,
        interval=(max(0.0, accuracy - 0.03), min(1.0, accuracy + 0.03)),
        n=n,
        loss=loss,
    )


def make_calibration(temperature: float = 1.0) -> Calibration:
    """A calibration of one bin."""
    one = ReliabilityBin(low=0.9, high=1.0, n=400, confidence=0.95, accuracy=0.9)
    side = Reliability(ece=0.05, nll=0.3, brier=0.15, bins=(one,))
    return Calibration(temperature=temperature, before=side, after=side)


def make_status(**changes: Any) -> ValidatedRun:
    """The status of a finished run."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "data": "rows",
        "mirror_safe": True,
        "recipe_sum": HASH,
        "epochs_planned": 4,
        "epochs_done": 4,
        "best_epoch": 3,
        "stopped": "reached the planned end",
        "seconds": 1.0,
        "images_per_second": 100.0,
        "parameters": 10,
        "size_bytes": 40,
        "latency_seconds": 0.1,
        "train": make_rate(0.95),
        "val": make_rate(),
        "calibration": make_calibration(),
        "gap": 0.05,
    }
    return ValidatedRun(**(fields | changes))


def make_course(**changes: Any) -> TrainingCourse:
    """Of a run that had levelled off and has a gap."""
    fields: dict[str, Any] = {
        "rising": False,
        "gain": 0.0,
        "chance": 0.01,
        "fit": "gap",
        "choice_lift": 0.002,
        "sentence": "It fits its training images better.",
    }
    return TrainingCourse(**(fields | changes))


def make_metrics(epoch: int = 1, **changes: Any) -> EpochMetrics:
    """An epoch of ten steps."""
    fields: dict[str, Any] = {
        "step": 10 * epoch,
        "cycle": 1,
        "lr": 0.1,
        "loss": 0.5,
        "train_loss": 0.4,
        "train_accuracy": 0.95,
        "val_loss": 0.45,
        "val_accuracy": 0.9,
        "train_n": 2_000,
        "val_n": 400,
        "best": True,
        "seconds": 2.0 * epoch,
        "images_per_second": 100.0,
        "skipped": 0,
    }
    return EpochMetrics(epoch=epoch, **(fields | changes))


def make_split_record(**changes: Any) -> SplitRecord:
    """The record of a split."""
    fields: dict[str, Any] = {
        "seed": 0,
        "val_fraction": 0.2,
        "subset": None,
        "declared_val": False,
        "train_n": 4,
        "val_n": 2,
        "counts": {"train": (2, 2), "val": (1, 1)},
        "train_hash": HASH,
        "val_hash": HASH,
        "data_fingerprint": HASH,
        "test_fingerprint": OTHER_HASH,
        "duplicates": 0,
    }
    return SplitRecord(**(fields | changes))


def make_rung_record(name: str, **changes: Any) -> RungRecord:
    """A finished rung of a study."""
    fields: dict[str, Any] = {"slot": name, "question": "?", "weakness": "-", "status": "done"}
    return RungRecord(name=name, **(fields | changes))


def make_study_record(*rungs: RungRecord, **changes: Any) -> StudyRecord:
    """The record of a study with these rungs."""
    fields: dict[str, Any] = {
        "name": "s",
        "created": "2026-11-22T14:40:00+00:00",
        "command": "smallvision study rows",
        "preset": "quick",
        "seed": 0,
        "settings": (),
        "seeds": 1,
        "repeat": (),
        "refit": False,
        "goal": Goal(limits=Limits()),
        "data": DataDescription(
            name="rows",
            source="tests",
            shape=(1, 8, 8),
            class_names=("a", "b"),
            train_n=6,
            test_n=2,
            train_fingerprint=HASH,
            test_fingerprint=OTHER_HASH,
            mirror_safe=True,
            notes=(),
        ),
        "rungs": rungs,
    }
    return StudyRecord(**(fields | changes))


def edit_json(path: Path, **changes: Any) -> None:
    """Change fields of a file as a person with an editor does, who leaves its sum out."""
    fields = json.loads(path.read_text(encoding="utf-8")) | changes
    fields.pop("sum", None)
    path.write_text(json.dumps(fields), encoding="utf-8")
