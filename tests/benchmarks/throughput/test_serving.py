"""The measurement of a model in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.records import describe_here
from benchmarks.throughput import serving
from benchmarks.throughput.serving import JOBS, ServingRecord, find_median, take_turns
from benchmarks.throughput.timing import Timing
from smallvision.compute.machine import choose_machine
from smallvision.records import store


def make_record() -> ServingRecord:
    """A record in which each job takes a millisecond more than the one before."""
    timings = {name: Timing(seconds=(0.001 * place,)) for place, name in enumerate(JOBS, start=1)}
    single = {name: timings[name] for name in JOBS[:4]}
    folder = {name: timings[name] for name in JOBS[4:]}
    about = describe_here(choose_machine(precision="fp32"))
    return ServingRecord(**about, n=100, single=single, folder=folder)


def test_ratios_are_told() -> None:
    runner, server, folder = make_record().sentences
    assert "2.00 of PyTorch's time" in runner
    assert "adds 1.0 ms" in server
    assert "0.83 of the throughput" in folder


def test_the_page_has_a_line_for_each_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "BENCH", tmp_path)
    (tmp_path / "one").mkdir()
    store.write(tmp_path / "one" / "serving.json", make_record())
    head, _, line = serving.write_block()
    assert head.count("|") == line.count("|")
    assert "| 1.00 | 2.00 | 3.00 | 4.00 | 5.00 | 6.00 |" in line


def test_jobs_take_turns_and_the_first_round_does_not_count() -> None:
    order: list[str] = []

    def note(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = take_turns({"a": lambda: note("a"), "b": lambda: note("b")}, 2)
    assert order == ["a", "b"] * 3
    assert found["a"].seconds == (3.0, 5.0)


def test_every_input_is_timed() -> None:
    seen: list[int] = []
    assert find_median(seen.append, [1, 2, 3]) >= 0
    assert seen == [1, 2, 3]
