"""What each file of a run, study, search or ensemble holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.records import store
from smallvision.records.schema import (
    AnyRun,
    CheckpointState,
    Distillation,
    EnsembleRecord,
    Environment,
    EpochMetrics,
    ErrorAnalysisRecord,
    ExplorationRecord,
    FoldSummary,
    LadderVerdicts,
    LearningRateSchedule,
    LedgerEntry,
    Manifest,
    ModelRecord,
    NetworkRecord,
    Record,
    SeedSummary,
    SplitRecord,
    StudyRecord,
    TestRecord,
    TuningRecord,
)

RECORD_FILES: dict[str, Any] = {
    "status.json": AnyRun,
    "metrics.jsonl": EpochMetrics,
    "schedule.json": LearningRateSchedule,
    "state.json": CheckpointState,
    "manifest.json": Manifest,
    "model.json": ModelRecord,
    "network.json": NetworkRecord,
    "environment.json": Environment,
    "folds.json": FoldSummary,
    "seeds.json": SeedSummary,
    "split.json": SplitRecord,
    "exploration.json": ExplorationRecord,
    "test.json": TestRecord,
    "ledger.jsonl": LedgerEntry,
    "ensemble.json": EnsembleRecord,
    "distilled.json": Distillation,
    "tune.json": TuningRecord,
    "study.json": StudyRecord,
    "verdicts.json": LadderVerdicts,
    "errors.json": ErrorAnalysisRecord,
}


def read_records(path: Path) -> list[Record]:
    """All records in a file: one, or one a line."""
    model = RECORD_FILES[path.name]
    if path.suffix == ".jsonl":
        return store.read_lines(path, model)
    return [store.read(path, model)]


def write_records(path: Path, records: list[Record]) -> None:
    """Write a file that `read_records` reads."""
    if path.suffix == ".jsonl":
        store.write_lines(path, records)
    else:
        [record] = records
        store.write(path, record)


def rewrite_record(path: Path, copy: Path) -> None:
    """Read a file of records, and write what was read."""
    write_records(copy, read_records(path))
