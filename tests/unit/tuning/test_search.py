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
from smallvision.tuning.search import RESULT, check_storage, open_search, open_storage
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
        first, second = a.next_trial(), b.next_trial()
        assert (first.number, second.number) == (0, 1), "b leaves alone what a has under way"
        assert a.next_trial().number == 0, "a takes its own up again"
        a.study.ask()  # and is interrupted before it has put its name to trial 2
        b.finish(second, FAILED)
        assert b.next_trial().number == 3, "b leaves alone what bears no name"
    with open_search(tmp_path, None, **describe_search("y")) as alone:
        alone.study.ask()
        assert alone.next_trial().number == 0, "who is alone takes up what bears no name"


@pytest.mark.parametrize("result", ["nonsense", {"state": "lost"}])
def test_a_trial_of_another_program_is_one_line(tmp_path: Path, result: Any) -> None:
    with open_search(tmp_path, None, **describe_search("x")) as search:
        trial = search.next_trial()
        search.finish(trial, FAILED)
        (ended,) = search.finished()
        assert (ended.record.state, ended.record.values) == ("failed", trial.values)
        foreign = search.next_trial()
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
        given_up = search.next_trial()
        search.study.tell(given_up.trial, state=TrialState.FAIL)
        assert search.finished() == ()
        assert search.next_trial().number == 1


def test_a_trial_that_somebody_asked_for_is_of_the_space(tmp_path: Path) -> None:
    told = describe_search("x")
    with open_search(tmp_path, None, **told) as search:
        search.finish(search.next_trial(), FAILED)
        search.study.enqueue_trial({"optimizer.lr": 0.05})
        assert search.next_trial().values["optimizer.lr"] == 0.05
    with open_search(tmp_path, None, **told) as search:
        search.study.enqueue_trial({"optimizer.lr": 50.0})
        with pytest.raises(SettingError, match=r"optimizer\.lr is 50\.0, not 0\.004 to 0\.1"):
            search.next_trial()


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
