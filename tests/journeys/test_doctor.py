"""`smallvision doctor`, and help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import Outcome

Call = Callable[..., Outcome]


def test_doctor(smallvision: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMALLVISION_DATA", raising=False)
    outcome = smallvision("doctor")
    assert outcome.code == 0, outcome.err
    for word in ("torch", "threads", "precision", "memory", "cifar10", "not found"):
        assert word in outcome.out


def test_doctor_says_what_is_damaged_and_goes_on(smallvision: Call, tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    for split in ("train", "test"):
        (tmp_path / "cifar10" / f"{split}-0.parquet").write_bytes(b"no Parquet")
    outcome = smallvision("doctor", "--data-dir", tmp_path)
    assert outcome.code == 0, outcome.err
    for word in ("torch", "cifar10", "train-0.parquet"):
        assert word in outcome.out


def test_help_names_every_command(smallvision: Call) -> None:
    shown = smallvision("--help")
    assert shown.code == 0
    for command in (
        *("study", "explore", "train", "tune", "ensemble", "distill", "classify"),
        *("explain", "evaluate", "compare", "report", "runs", "recipes", "doctor"),
    ):
        assert command in shown.out
