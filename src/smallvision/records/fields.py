"""What each record must hold for the rest of the code to rely on it.

Only the fields that code reads are listed; docs/ARCHITECTURE.md describes the records in full. A
flipped bit or an edit by hand can leave valid JSON that lacks one, which should be one line to a
person, not a traceback.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any, TypeAlias

from smallvision.errors import RecordError

Fields: TypeAlias = dict[str, Any]  # name -> type, tuple of types, or nested Fields

SCHEMA = 1  # the version of all records; raise it when an older version would misread them
POOLED = "pooled"  # kind of a run trained on all images, with none left to validate it on

NUMBER = (int, float)
RATE: Fields = {"accuracy": NUMBER, "interval": list, "n": int, "loss": NUMBER}
POOLED_DONE: Fields = {
    "train": RATE,
    "seconds": NUMBER,
    "parameters": int,
    "latency_seconds": NUMBER,
    "best_epoch": int,
    "epochs_done": int,
    "stopped": str,
    "notes": list,
}
DONE: Fields = {"val": RATE, **POOLED_DONE, "gap": NUMBER}
FIELDS: dict[str, Fields] = {
    "status.json": {"name": str, "status": str},
    "manifest.json": {"files": dict},
    "state.json": {
        "epoch": int,
        "best_epoch": int,
        "best_accuracy": (*NUMBER, NoneType),
        "best_loss": (*NUMBER, NoneType),
        "seconds": NUMBER,
    },
    "model.json": {
        "model": dict,
        "class_names": list,
        "shape": list,
        "mean": list,
        "std": list,
        "temperature": NUMBER,
        "epoch": int,
    },
    "schedule.json": {"steps_per_epoch": int, "cycle_ends": list},
    "ensemble.json": {
        "candidates": list,
        "members": list,
        "steps": list,
        "single": dict,
        "against_single": {"verdict": str, "sentence": str},
        "cost": {"latency_ratio": NUMBER, "size_ratio": NUMBER},
    },
    "distilled.json": {
        "teacher": {"name": str, "accuracy": NUMBER, "latency_seconds": NUMBER},
        "against_teacher": {"verdict": str, "sentence": str},
        "cost": {"latency_ratio": NUMBER, "size_ratio": NUMBER},
    },
    "study.json": {
        "name": str,
        "preset": str,
        "seed": int,
        "goal": dict,
        "rungs": list,
    },
    "test.json": {"model": str, "openings": int, **RATE},
    "verdicts.json": {"steps": list},
    "errors.json": {
        "model": str,
        "class_names": list,
        "n": int,
        "errors": int,
        "pairs": list,
        "worst": list,
        "disagreements": list,
        "label_issues": {"estimate": int, "images": list},
        "slices": list,
    },
    "tune.json": {
        "recipe": str,
        "metric": str,
        "epochs": int,
        "sampler": str,
        "pruner": str,
        "space": list,
        "trials": list,
        "best": (dict, type(None)),
    },
    "seeds.json": {
        "seeds": list,
        "accuracies": list,
        "mean": NUMBER,
        "std": (*NUMBER, NoneType),
        "interval": (list, NoneType),
        "n": int,
    },
}

# What records of an earlier version lack.
LATER: dict[str, Fields] = {"seeds.json": {"failed": list}}


def check_fields(record: Any, path: Path) -> dict[str, Any]:
    """Check a record against what its file name promises.

    Raises:
        RecordError: it is no object, or a field is missing or of another type.
    """
    schema = record.get("schema", SCHEMA) if isinstance(record, dict) else SCHEMA
    if isinstance(schema, int) and schema > SCHEMA:
        raise RecordError(
            f"{path} was written by a later version (schema {schema}, this one knows {SCHEMA}); "
            "upgrade smallvision to read it"
        )
    fields = dict(FIELDS.get(path.name, {}))
    if path.name == "status.json" and isinstance(record, dict) and record.get("status") == "done":
        fields |= POOLED_DONE if record.get("kind") == POOLED else DONE
    if isinstance(record, dict):
        later = LATER.get(path.name, {})
        fields |= {name: kind for name, kind in later.items() if name in record}
    found = find_fault(record, fields)
    if found is not None:
        raise RecordError(f"{path} is damaged: {found}; restore it, or make the results anew")
    checked: dict[str, Any] = record
    return checked


def find_fault(record: Any, fields: Fields, place: str = "") -> str | None:
    """The first thing that is wrong with a record, or None."""
    if not isinstance(record, dict):
        return f"{place.rstrip('.') or 'its content'} is no JSON object"
    for name, kind in fields.items():
        if name not in record:
            return f"'{place}{name}' is missing"
        if isinstance(kind, dict):
            if fault := find_fault(record[name], kind, f"{place}{name}."):
                return fault
        elif not isinstance(record[name], kind):
            return f"'{place}{name}' is {record[name]!r:.40}"
    return None
