"""Fixtures that many tests share: tiny data sets, a private cache, one way to call the command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from tests.support.commands import Outcome, call_command
from tests.support.images import make_dataset


@pytest.fixture(scope="session", autouse=True)
def _shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The cache of fixtures that several tests share, which are made before any test's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMALLVISION_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing a test does may reach the user's cache, or find the user's data by accident."""
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "cache"))
    return


@pytest.fixture
def dataset() -> DataSet:
    return make_dataset()


@pytest.fixture
def smallvision() -> Callable[..., Outcome]:
    """Call the command line in this process: `smallvision("train", "digits", "mlp")`."""
    return call_command
