"""A tiny run in colour whose answers mean something, and its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from smallvision.exporting.source import ExportSource, find_source
from tests.support.images import make_dataset
from tests.support.runs import train_tiny


@pytest.fixture(scope="session")
def rows() -> DataSet:
    return make_dataset()


@pytest.fixture(scope="session")
def run(rows: DataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a network with a convolution, a layer behind it and a head, on `rows`."""
    folder = tmp_path_factory.mktemp("exported") / "rows-tiny"
    model = {"name": "speednet", "widths": [8, 8]}
    train_tiny(rows, folder, model=model, epochs=2, tta={"mirror": True, "shift": 1})
    return folder


@pytest.fixture(scope="session")
def source(run: Path) -> ExportSource:
    return find_source(run)
