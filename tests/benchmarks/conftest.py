"""Measurements that last no longer than they must."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from benchmarks.__main__ import app
from benchmarks.throughput import timing
from benchmarks.training import baselines


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(timing, "REST_SECONDS", 0.0)


@pytest.fixture
def steady_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which an epoch of the plain network takes a second, on any machine."""
    clock = count()
    monkeypatch.setattr(baselines, "time", SimpleNamespace(perf_counter=lambda: next(clock)))


@pytest.fixture
def benchmarks() -> Callable[..., Result]:
    """Call the command line in this process: `benchmarks("step", "mlp")`."""
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])
