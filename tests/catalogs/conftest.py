"""A private cache for the layouts."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("SMALLVISION_CACHE", str(folder))
    return folder
