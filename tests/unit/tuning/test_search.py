"""The storage of trials: shared, misplaced, damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from sqlalchemy import event

from smallvision.data.dataset import DataSet
from smallvision.errors import RecordError, SettingError
from smallvision.recipes.search_space import build_space, read_values
from smallvision.records.schema import TrialResult
from smallvision.tuning.search import Attempt, Search, check_storage, open_search, open_storage
from smallvision.tuning.sharing import RESULT
from smallvision.tuning.storage import SQLITE, default_storage
from tests.support.tuning import make_mlp_recipe, tune_tiny

FAILED = TrialResult(state="failed", accuracy=None, epochs=0, seconds=1.0, note="-")


def describe_search(name: str) -> dict[str, Any]:
    """What a search is opened with."""
    space = build_space(make_mlp_recipe())
    own = read_values(make_mlp_recipe(), [dimension.key for dimension in space])
    return {"name": name, "space": space, "own": own, "seed": 0, "epochs": 2}


def test_two_processes_may_share_a_storage(tmp_path: Path) -> None:
    url, told = default_storage(tmp_path), describe_search("x")
    with (
        open_search(tmp_path / "a", url, **told) as a,
        open_search(tmp_path / "b", url, **told) as b,
    ):
        first, second = ask(a), ask(b)
        assert (first.number, second.number) == (0, 1), "b leaves alone what a has under way"
        assert ask(a).number == 0, "a takes its own up again"
        b.finish(second, FAILED)
        assert ask(b).number == 2


def ask(search: Search) -> Attempt:
    """The next trial, of as many as there may be."""
    attempt = search.next_trial(99)
    assert attempt is not None
    return attempt


@pytest.mark.parametrize("result", ["nonsense", {"state": "lost"}])
def test_a_trial_of_another_program_is_one_line(tmp_path: Path, result: Any) -> None:
    with open_search(tmp_path, None, **describe_search("x")) as search:
        trial = ask(search)
        search.finish(trial, FAILED)
        (ended,) = search.finished()
        assert (ended.record.state, ended.record.values) == ("failed", trial.values)
        foreign = ask(search)
        foreign.trial.set_user_attr(RESULT, result)
        search.study.tell(foreign.trial, 0.5)
        with pytest.raises(SettingError, match="another --storage"):
            search.finished()


@pytest.mark.parametrize("name", ["plain", "with space", "a?b=c&d", "100%", "#1@host:80", "{0}"])
def test_the_storage_lies_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    for is_named in (False, True):
        with open_storage(default_storage(folder), is_named=is_named):
            assert (folder / "tune.sqlite3").is_file()


def test_a_storage_that_is_named_may_be_a_link(tmp_path: Path) -> None:
    with open_storage(default_storage(tmp_path)):
        pass
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "tune.sqlite3")
    with open_storage(f"sqlite:///{link}"):
        pass
    with pytest.raises(RecordError, match="is a link"):
        open_storage(f"sqlite:///{link}", is_named=False).__enter__()


def test_a_storage_in_use_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SQLITE, "timeout", 0)
    with open_storage(default_storage(tmp_path)):
        pass
    with closing(sqlite3.connect(tmp_path / "tune.sqlite3")) as other:
        other.execute("begin exclusive")
        with pytest.raises(SettingError, match="database is locked"):
            check_storage(default_storage(tmp_path))


def test_a_trial_that_was_given_up_by_hand_is_left_alone(tmp_path: Path) -> None:
    with open_search(tmp_path, None, **describe_search("x")) as search:
        given_up = ask(search)
        search.study.tell(given_up.trial, state=TrialState.FAIL)
        assert search.finished() == ()
        again = ask(search)
        assert (again.number, again.values) == (0, given_up.values), "the own settings are needed"


def test_a_trial_that_waits_was_entered_by_another_program(tmp_path: Path) -> None:
    with open_search(tmp_path, None, **describe_search("x")) as search:
        search.study.enqueue_trial({"optimizer.lr": 0.05})
        with pytest.raises(SettingError, match="it waits for somebody to begin it"):
            ask(search)


def ask_a_silent_storage(url: str) -> None:
    """Open a storage whose driver raises a socket's own error, which SQLAlchemy does not wrap."""

    def fall_silent(*_: object) -> None:
        raise TimeoutError("timed out")

    with open_storage(url) as storage:
        event.listen(storage.engine, "do_execute", fall_silent)
        storage.get_all_studies()


def test_a_server_that_falls_silent_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"cannot be used: .*trials\.sqlite3: timed out$"):
        ask_a_silent_storage(f"sqlite:///{tmp_path}/trials.sqlite3")


def test_a_damaged_storage_is_one_line(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    (tmp_path / "tune.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SettingError, match="not a database"):
        tune_tiny(dataset, tmp_path, trials=3)
