"""`smallvision tune`: a search, its continuation, and a run of what it found."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.commands import Outcome, assert_refused, call_command, spell_settings

Call = Callable[..., Outcome]
SHORT = ("--seeds", "1", *spell_settings("epochs=2", "compute.threads=1"))


class Search(NamedTuple):
    """A search in the folder that is its default.

    Attributes:
        place: where the command was called.
        summary: what `--json` printed.
        told: what it printed for people.
    """

    place: Path
    summary: dict[str, Any]
    told: str


@pytest.fixture(scope="module")
def finished(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Search:
    """A search of three trials."""
    place = tmp_path_factory.mktemp("search")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        outcome = call_command("tune", rows, "mlp", "--trials", "3", "--json", *SHORT)
    assert outcome.code == 0, outcome.err
    return Search(place, outcome.json, outcome.words)


@pytest.fixture
def search(finished: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    """The same search, to be changed; its place is the working folder."""
    place = Path(shutil.copytree(finished.place, tmp_path / "here"))
    monkeypatch.chdir(place)
    return finished._replace(place=place)


def test_a_search_finishes_its_trials(finished: Search) -> None:
    assert finished.summary["tune"] == "tunings/rows-mlp"
    assert finished.summary["trials"] == 3


def test_a_search_tells_what_it_tried_and_whether_the_gain_holds(finished: Search) -> None:
    assert "optimizer.lr" in finished.told
    assert finished.summary["rerun"]["sentence"] in finished.told


def test_the_same_search_goes_on_by_itself(smallvision: Call, search: Search, rows: Path) -> None:
    more = smallvision("tune", rows, "mlp", "--trials", "4", "--json", *SHORT).json
    assert (more["tune"], more["trials"]) == (search.summary["tune"], 4)


def test_a_search_that_is_resumed_remembers_its_data_and_its_recipe(
    smallvision: Call, search: Search, tmp_path: Path
) -> None:
    options = ("--resume", "--out", search.summary["tune"], "--trials", "4", "--json", *SHORT)
    assert smallvision("tune", *options).json["trials"] == 4


def test_another_search_has_another_folder(smallvision: Call, search: Search, rows: Path) -> None:
    options = ("--trials", "2", "--json", *SHORT, "--epochs", "1")
    assert smallvision("tune", rows, "mlp", *options).json["tune"] == "tunings/rows-mlp-2"


def test_a_folder_that_is_named_is_resumed_only_on_request(
    smallvision: Call, search: Search, rows: Path
) -> None:
    refused = smallvision("tune", rows, "mlp", "--out", search.summary["tune"], *SHORT)
    assert_refused(refused, "--resume")


def test_what_was_found_can_be_trained(smallvision: Call, search: Search, rows: Path) -> None:
    trained = smallvision("train", rows, search.summary["recipe"], "--out", "run")
    assert trained.code == 0, trained.err
    assert 'name = "mlp-tuned"' in Path("run", "recipe.toml").read_text()


def test_an_accuracy_that_was_edited_in_the_database_is_named(
    smallvision: Call, search: Search, rows: Path
) -> None:
    folder = Path(search.summary["tune"])
    before = (folder / "tune.json").read_bytes()
    with closing(sqlite3.connect(folder / "tune.sqlite3")) as database:
        database.execute("update trial_values set value = 0.123 where trial_id = 1")
        database.execute(
            "update trial_user_attributes set value_json = json_set(value_json, '$.accuracy', "
            "0.123) where trial_id = 1 and key = 'result'"
        )
        database.commit()
    refused = smallvision("tune", rows, "mlp", "--trials", "4", *SHORT)
    assert_refused(refused, "0.123 in the second")
    assert "disagree on trial 0: accuracy is" in refused.err
    assert (folder / "tune.json").read_bytes() == before


def test_an_empty_storage_is_refused(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    refused = smallvision("tune", rows, "mlp", "--storage", "", "--out", tmp_path / "out", *SHORT)
    assert_refused(refused, "--storage is empty")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("url", ["journal.log", "sqlite://", "postgresql://me:s3cr-et@h:x/y"])
def test_an_odd_storage_is_refused_before_anything_is_written(
    smallvision: Call, rows: Path, tmp_path: Path, url: str
) -> None:
    out = tmp_path / "out"
    refused = smallvision("tune", rows, "mlp", "--storage", url, "--out", out, *SHORT)
    assert_refused(refused, "storage for trials cannot be used")
    assert "s3cr-et" not in refused.err
    assert not out.exists()
