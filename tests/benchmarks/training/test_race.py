from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from benchmarks.training import race
from benchmarks.training.race import OURS, PEER, RaceRecord, RaceRun
from smallvision.errors import RecordError, SettingError
from smallvision.records import store
from tests.support.records import HASH


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who ran, in a race whose runs take no time."""
    names: list[str] = []

    def run(name: str, seconds: float) -> RaceRun:
        names.append(name)
        return RaceRun(seconds=seconds, accuracy=0.94)

    monkeypatch.setattr(race, "run_ours", lambda _goal, seed: run(OURS, 10 + seed))
    monkeypatch.setattr(race, "run_peer", lambda _source, _data: run(PEER, 20))
    return names


def test_a_race_takes_turns_and_goes_on(
    tmp_path: Path, benchmarks: Callable[..., Result], ran: list[str]
) -> None:
    (tmp_path / "peer.py").touch()
    call = ("race", tmp_path / "peer.py", "--out", tmp_path, "--peer-runs", 1, "--runs")
    said = benchmarks(*call, 2)
    assert said.exit_code == 0, said.output
    assert ran == [OURS, PEER, OURS]
    record = store.read(tmp_path / "race-0.94.json", RaceRecord)
    assert [run.seconds for run in record.runs[OURS]] == [10, 11]
    assert record.ratio == pytest.approx(10.5 / 20)
    assert "0.53 of the peer's time" in said.output
    benchmarks(*call, 3)
    assert ran == [OURS, PEER, OURS, OURS]


def test_a_race_is_not_continued_with_another_recipe(
    tmp_path: Path, benchmarks: Callable[..., Result], ran: list[str]
) -> None:
    (tmp_path / "peer.py").touch()
    call = ("race", tmp_path / "peer.py", "--out", tmp_path, "--runs", 1, "--peer-runs", 1)
    benchmarks(*call)
    path = tmp_path / "race-0.94.json"
    record = store.read(path, RaceRecord)
    for change, said in (
        ({"recipe_sum": HASH}, "of another recipe"),
        ({"machine": record.machine.model_copy(update={"threads": 77})}, "on another machine"),
    ):
        store.write(path, record.model_copy(update=change))
        result = benchmarks(*call)
        assert isinstance(result.exception, RecordError)
        assert said in str(result.exception)
    assert len(ran) == 2


def test_a_peer_that_is_not_there_is_named(
    tmp_path: Path, benchmarks: Callable[..., Result]
) -> None:
    out = tmp_path / "out"
    result = benchmarks("race", "nowhere.py", "--out", out)
    assert isinstance(result.exception, SettingError)
    assert "there is no nowhere.py" in str(result.exception)
    assert not out.exists()
