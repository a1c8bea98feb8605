"""Ensembles of tiny runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smallvision.data.dataset import DataSet
from smallvision.ensembles.build import EnsembleOptions, build_ensemble
from smallvision.records import store
from smallvision.records.layout import ENSEMBLE
from smallvision.records.schema import EnsembleRecord, ValidatedRun
from tests.support.runs import make_job


def build_tiny(dataset: DataSet, folder: Path, *runs: Path, **options: Any) -> ValidatedRun:
    """Build an ensemble of runs on the usual split, with these fields of its options."""
    return build_ensemble(runs, make_job(dataset, folder), EnsembleOptions(**options))


def read_ensemble(folder: Path) -> EnsembleRecord:
    """The record of an ensemble."""
    return store.read(folder / ENSEMBLE, EnsembleRecord)
