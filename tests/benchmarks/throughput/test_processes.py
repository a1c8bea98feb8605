"""One process and several train the same recipe, in turns, and the record says what it costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.throughput import processes
from benchmarks.throughput.processes import ProcessesRecord
from smallvision.errors import FailedRunError, SettingError
from smallvision.records import store


def test_both_ways_are_measured_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes.processes(["linear"], images=1000, rounds=1, out=tmp_path / "here")
    record = store.read(tmp_path / "here" / "processes.json", ProcessesRecord)
    (training,) = record.trainings
    assert training.micro_batch == training.batch_size // 2
    assert training.ratio == training.alone[0] / training.shared[0]
    monkeypatch.setattr(processes, "BENCH", tmp_path)
    lines = list(processes.write_block())
    assert any(line.startswith("| linear | 256 | 128 | ") for line in lines)


def test_a_batch_is_shared_out_in_whole_parts(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="a multiple of the 3 processes"):
        processes.processes(["linear"], count=3, batch_size=256, rounds=1, out=tmp_path)


def test_a_training_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(FailedRunError, match=r"^unknown recipe 'lienar'"):
        processes.processes(["lienar"], images=1000, rounds=1, out=tmp_path)
