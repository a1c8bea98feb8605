"""Workers that share a search, as threads on one SQLite file."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from optuna.trial import TrialState

from smallvision.errors import SettingError
from smallvision.records.schema import FloatRange, RerunRecord, TrialResult
from smallvision.tuning import search as searching
from smallvision.tuning import sharing
from smallvision.tuning.search import Attempt, LostTrialError, Search, open_search
from smallvision.tuning.sharing import keep_alive

OWN = {"optimizer.lr": 0.02}
SPACE = (FloatRange(key="optimizer.lr", low=0.001, high=0.5, log=True),)
DONE = TrialResult(state="complete", accuracy=0.5, epochs=2, seconds=1.0, note=None)
Open = Callable[[str], Search]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Opens the search as a worker of some name."""
    for module in (searching, sharing):
        monkeypatch.setattr(module, "SILENCE", 1)
        monkeypatch.setattr(module, "BEAT", 1)
    url = f"sqlite:///{tmp_path / 'shared.sqlite3'}"
    with ExitStack() as stack:

        def open_as(worker: str) -> Search:
            return stack.enter_context(
                open_search(
                    tmp_path / worker, url, name="s", space=SPACE, own=OWN, seed=0, epochs=2
                )
            )

        yield open_as


def test_workers_make_as_many_trials_as_were_asked_for_and_no_draw_twice(opened: Open) -> None:
    workers = [opened(name) for name in "abc"]

    def work(search: Search) -> list[dict[str, float]]:
        tried = []
        while (attempt := search.next_trial(7)) is not None:
            tried.append(attempt.values)
            with search.at_work(attempt):
                time.sleep(0.05)
                search.finish(attempt, DONE)
        return tried

    with ThreadPoolExecutor(len(workers)) as pool:
        tried = [values for found in pool.map(work, workers) for values in found]
    assert len(tried) == 7
    assert len({tuple(values.items()) for values in tried}) == 7
    assert OWN in tried
    assert all(len(worker.finished()) == 7 for worker in workers)


def test_the_own_settings_are_tried_again_where_their_worker_was_lost(opened: Open) -> None:
    lost, other = opened("a"), opened("b")
    first = lost.next_trial(3)
    assert first is not None
    with lost.at_work(first):
        pass  # and never again
    second = other.next_trial(3)
    assert (first.number, first.values) == (0, OWN)
    assert second is not None
    assert second.number == 1
    time.sleep(2.1)
    again = other_trial(opened("c"))
    assert (again.number, again.values) == (0, OWN)
    with pytest.raises(LostTrialError, match="trial 0 was given up by other workers"):
        lost.finish(first, DONE)
    with pytest.raises(LostTrialError):
        first.report(1, 0.5)


def other_trial(search: Search) -> Attempt:
    attempt = search.next_trial(3)
    assert attempt is not None
    return attempt


def test_a_trial_that_was_never_heard_of_is_given_up_too(opened: Open) -> None:
    lost, other = opened("a"), opened("b")
    assert lost.next_trial(1) is not None
    assert other.next_trial(1) is None
    assert other.count_others() == 1
    time.sleep(1.1)
    assert other.count_others() == 0
    assert [trial.state for trial in other.read()] == [TrialState.FAIL]
    assert other_trial(other).number == 0


def test_a_worker_that_gives_signs_of_life_is_left_alone(opened: Open) -> None:
    busy, other = opened("a"), opened("b")
    attempt = other_trial(busy)
    with busy.at_work(attempt):
        time.sleep(3)
        assert other.count_others() == 1
        busy.finish(attempt, DONE)
    assert len(other.finished()) == 1


def test_what_is_made_once_is_made_by_one_worker(opened: Open) -> None:
    made: list[str] = []

    def work(search: Search) -> RerunRecord:
        def make() -> RerunRecord:
            made.append(search.worker)
            time.sleep(0.5)
            return RerunRecord(trial=1, seeds=(1, 2), sentence="as it was")

        return search.make_once("rerun-1", make, RerunRecord, lambda: time.sleep(0.05))

    workers = [opened(name) for name in "abc"]
    with ThreadPoolExecutor(len(workers)) as pool:
        found = list(pool.map(work, workers))
    assert len(made) == 1
    assert found == [found[0]] * 3
    # A worker that comes later reads it.
    assert work(opened("d")) == found[0]
    assert len(made) == 1


def test_what_a_lost_worker_was_making_is_made_by_another(opened: Open) -> None:
    lost, other = opened("a"), opened("b")
    record = RerunRecord(trial=1, sentence="made")

    def vanish() -> RerunRecord:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lost.make_once("rerun-1", vanish, RerunRecord, time.sleep)
    waited: list[float] = []

    def wait() -> None:
        waited.append(1.0)
        time.sleep(0.5)

    assert other.make_once("rerun-1", lambda: record, RerunRecord, wait) == record
    assert waited


def test_a_worker_of_another_version_is_refused(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened("a")
    monkeypatch.setattr(searching, "find_version", lambda _: "99.0")
    with pytest.raises(SettingError, match=r"was begun by smallvision .*, and this is 99\.0"):
        opened("b")


def test_a_sign_of_life_that_fails_ends_nothing(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = opened("a")
    attempt = other_trial(search)
    trial_id = search.team.find(attempt.number)
    with keep_alive(search.storage, trial_id):
        monkeypatch.setattr(
            type(search.storage), "record_heartbeat", lambda *_: (_ for _ in ()).throw(OSError())
        )
        time.sleep(1.5)
    search.finish(attempt, DONE)
