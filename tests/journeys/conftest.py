"""A data set in a file, as newcomers bring their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.images import write_dataset


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small npz with its own test images."""
    return write_dataset(tmp_path_factory.mktemp("data") / "rows.npz")
