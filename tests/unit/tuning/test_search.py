"""The storage of trials: shared, misplaced, damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import SettingError
from smallvision.recipes.search_space import build_space, read_values
from smallvision.records.schema import TrialResult
from smallvision.tuning.search import RESULT, default_storage, open_search, open_storage
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
        assert (ended.state, ended.values) == ("failed", trial.values)
        foreign = search.next_trial()
        foreign.trial.set_user_attr(RESULT, result)
        search.study.tell(foreign.trial, 0.5)
        with pytest.raises(SettingError, match="another --storage"):
            search.finished()


@pytest.mark.parametrize("name", ["plain", "with space", "a?b=c&d", "100%", "#1@host:80"])
def test_the_storage_lies_in_any_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    with open_storage(default_storage(folder)):
        assert (folder / "tune.sqlite3").is_file()


@pytest.mark.parametrize("url", ["nonsense", "foo://host/x", "sqlite:////nowhere/at/all/x.sqlite3"])
def test_a_storage_that_cannot_be_used(url: str) -> None:
    with pytest.raises(SettingError, match="storage for trials cannot be used"), open_storage(url):
        pass


def test_a_damaged_storage_is_one_line(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    (tmp_path / "tune.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SettingError, match="not a database"):
        tune_tiny(dataset, tmp_path, trials=3)
