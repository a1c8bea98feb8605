"""Fixtures that many tests share: tiny data sets, a private cache, one way to call the command."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from smallvision.data.dataset import DataSet
from tests.support.commands import Outcome, call_command
from tests.support.images import make_dataset

# Tests of pure functions, of models and of recipes; the hosted checks run them on every system.
FAST = (
    "properties",
    *(
        f"unit/{name}"
        for name in (
            *("about", "augment", "models", "optim", "recipes", "stats"),
            *("test_errors.py", "test_format.py", "test_text.py"),
        )
    ),
)


def pytest_configure() -> None:
    """Give each of several workers a core of its own, also for the processes that it starts.

    Threads of two processes that share cores wait for each other in a loop, which takes ten times
    as long.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})
        torch.set_num_threads(1)


def is_fast(path: Path) -> bool:
    """Whether a file holds fast tests."""
    return any(path.is_relative_to(Path(__file__).parent / place) for place in FAST)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m fast`, do not import other tests, some of which need what not every system has."""
    others = collection_path.match("test_*.py") and not is_fast(collection_path)
    return True if config.option.markexpr == "fast" and others else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the fast tests, for `pytest -m fast`."""
    for item in items:
        if is_fast(item.path):
            item.add_marker(pytest.mark.fast)


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
