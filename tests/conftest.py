"""Fixtures that many tests share: tiny data sets, a private cache, one way to call the command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from smallvision.data.dataset import DataSet
from tests.support.images import make_dataset


@pytest.fixture(autouse=True)
def _private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing a test does may reach the user's cache, or find the user's data by accident."""
    monkeypatch.setenv("SMALLVISION_CACHE", str(tmp_path / "cache"))
    return


@pytest.fixture
def dataset() -> DataSet:
    return make_dataset()


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def smallvision(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Call the command line in this process: `smallvision("train", "digits", "mlp")`."""

    def call(*arguments: str | Path) -> Outcome:
        from smallvision.cli.main import main

        monkeypatch.setattr(sys, "argv", ["smallvision", *map(str, arguments)])
        code: int | str | None = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        captured = capsys.readouterr()
        return Outcome(int(code or 0), captured.out, captured.err)

    return call
