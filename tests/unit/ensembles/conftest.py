"""Runs that the tests of this room make ensembles of and learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from tests.support.images import make_dataset
from tests.support.runs import SINGLE, SNAPSHOTS, train_tiny


@pytest.fixture(scope="package")
def rows() -> DataSet:
    return make_dataset(150)


@pytest.fixture(scope="package")
def trained(rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: `snapshots` in three cycles, and `single` in one, of another architecture."""
    root = tmp_path_factory.mktemp("runs")
    train_tiny(rows, root / "snapshots", name="snapshots", **SNAPSHOTS)
    train_tiny(rows, root / "single", name="single", seed=1, **SINGLE)
    return root
