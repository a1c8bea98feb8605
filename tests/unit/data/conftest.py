"""A private cache for each test, and the builders of sources with the test's own folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from smallvision.errors import DataError
from tests.support import sources

REAL_DATA = os.environ.get("SMALLVISION_DATA")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache, or finds the user's data by accident."""
    folder = tmp_path / "own-cache"
    monkeypatch.setenv("SMALLVISION_CACHE", str(folder))
    monkeypatch.delenv("SMALLVISION_DATA", raising=False)
    return folder


@pytest.fixture
def real_data() -> Path:
    """The folder that SMALLVISION_DATA named when the tests began."""
    if not REAL_DATA:
        pytest.skip("SMALLVISION_DATA is not set, so the real CIFAR-10 is not checked")
    return Path(REAL_DATA)


@pytest.fixture
def refuses() -> Callable[..., AbstractContextManager[None]]:
    """A context that demands one DataError, in one line, with all the given words."""

    @contextmanager
    def check(*words: object) -> Iterator[None]:
        with pytest.raises(DataError) as caught:
            yield
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert str(word) in message

    return check


@pytest.fixture
def write_cifar(tmp_path: Path) -> Callable[..., Path]:
    """Write an unpacked CIFAR archive into the test's folder."""
    return partial(sources.write_cifar, tmp_path)


@pytest.fixture
def write_parquet() -> Callable[..., Path]:
    """Write a Parquet file, where pyarrow is installed."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    return sources.write_parquet
