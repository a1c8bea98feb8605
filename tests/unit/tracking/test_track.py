from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest

from smallvision.errors import RecordError, SettingError, UserError
from smallvision.records import store
from smallvision.records.schema import UnfinishedRun
from smallvision.tracking import track as module
from smallvision.tracking.readings import TrackedRun
from smallvision.tracking.table import TrackerEntry
from smallvision.tracking.track import choose_place, track
from smallvision.tracking.tracker import TrackerPlace
from tests.gold.make_folders import FOLDERS
from tests.support.tracked import begin_run, end_run, train_on


class MemoryTracker:
    """Keeps what it is told."""

    hint = "look here"

    def __init__(self, place: TrackerPlace) -> None:
        self.told: list[tuple[int, str]] = []
        self.closed = False
        LAST.append(self)

    def write(self, run: TrackedRun) -> None:
        if run.state == "failed":
            raise ConnectionError("the server is away")
        self.told.append((len(run.epochs), run.state))

    def close(self) -> None:
        self.closed = True


LAST: list[MemoryTracker] = []


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = TrackerEntry(MemoryTracker, Path("memory"))
    monkeypatch.setattr(module, "TRACKERS", MappingProxyType({"memory": entry}))


def test_following_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin_run(tmp_path / "run", epochs=0)
    steps = [lambda: train_on(run, 1), lambda: None, lambda: train_on(run, 2), lambda: end_run(run)]
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        steps[len(waited) - 1]()

    monkeypatch.setattr(module.time, "sleep", wait)
    told: list[TrackedRun] = []
    done = track(run, "memory", out=tmp_path / "out", follow=3.0, tell=told.append)
    assert LAST[-1].told == [(0, "stopped"), (1, "stopped"), (2, "stopped"), (2, "done")]
    assert waited == [3.0] * 4
    assert [len(one.epochs) for one in told] == [0, 1, 2, 2]
    assert LAST[-1].closed
    assert done.hint == "look here"


def test_without_following_it_looks_once(tmp_path: Path) -> None:
    done = track(begin_run(tmp_path / "run"), "memory", out=tmp_path / "out")
    assert LAST[-1].told == [(1, "stopped")]
    assert [run.state for run in done.runs] == ["stopped"]


def test_an_interruption_lets_the_tracker_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        track(begin_run(tmp_path / "run"), "memory", out=tmp_path / "out", follow=1.0)
    assert LAST[-1].closed


def test_a_failing_tracker_is_one_line_and_the_run_stays(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    status = store.read(run / "status.json", UnfinishedRun)
    store.write(run / "status.json", status.change(status="failed", error="NaN"))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=r"memory failed at .*ConnectionError: the server is away"):
        track(run, "memory", out=tmp_path / "out")
    assert LAST[-1].closed
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_that_has_only_begun_is_told_in_a_line(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    (run / "recipe.toml").unlink()
    with pytest.raises(RecordError, match="has no run yet"):
        track(run, "memory", out=tmp_path / "out")


def test_no_tracker_writes_among_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin_run(tmp_path / "run")
    for place in (run, run / "x", run / "x" / "y"):
        with pytest.raises(SettingError, match="which holds records"):
            choose_place("memory", place, None)
        for scheme in ("sqlite:///", "sqlite+pysqlite:///", "file://"):
            with pytest.raises(SettingError, match="which holds records"):
                choose_place("memory", None, f"{scheme}{place}/mlflow.db")
    monkeypatch.chdir(run)
    with pytest.raises(SettingError, match="which holds records"):
        choose_place("memory", None, "sqlite:///mlflow.db")
    assert choose_place("memory", tmp_path / "out", None).folder == tmp_path / "out"


@pytest.mark.parametrize("uri", ["nonsense", "/some/where", "http://[oops"])
def test_what_is_no_address_is_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="write it like http://host:5000"):
        choose_place("memory", None, uri)


def test_two_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="name one of them"):
        choose_place("memory", tmp_path, "http://host:5000")


def test_an_unknown_tracker_is_answered_with_the_nearest() -> None:
    with pytest.raises(SettingError, match="did you mean 'memory'"):
        track(FOLDERS / "run", "memry")
