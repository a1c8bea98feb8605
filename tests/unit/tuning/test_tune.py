"""A search on tiny images: repeatable, resumable, and ended by its budget."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.recipes import read_recipe
from smallvision.recipes.search_space import read_values
from smallvision.records import store
from smallvision.records.layout import TUNE
from smallvision.records.locks import check_folder
from smallvision.records.schema import RerunRecord, TrialRecord, TrialResult, TuningRecord
from smallvision.tuning import trials, tune
from smallvision.tuning.search import PRUNER, Attempt, Search
from smallvision.tuning.trials import TrialReporter
from smallvision.tuning.tune import (
    SearchOptions,
    best_recipe,
    is_tuning_of,
    reason_to_end,
    tune_recipe,
)
from tests.support.runs import make_job
from tests.support.tuning import (
    make_mlp_recipe,
    make_trial,
    make_tuning_record,
    read_decisions,
    tune_tiny,
)


def read_record(folder: Path) -> TuningRecord:
    return store.read(folder / TUNE, TuningRecord)


def interrupt(*_: Any, **__: Any) -> None:
    """A kill, as far as Python can tell."""
    raise KeyboardInterrupt


def test_the_first_trial_is_the_recipe_itself(dataset: DataSet, tmp_path: Path) -> None:
    record = tune_tiny(dataset, tmp_path, trials=6)
    assert read_record(tmp_path) == record
    assert [trial.number for trial in record.trials] == list(range(6))
    own = record.trials[0]
    assert own.values == read_values(make_mlp_recipe(), list(own.values))
    assert own.state == "complete"
    complete = [trial for trial in record.trials if trial.state == "complete"]
    assert record.best is not None
    assert record.best.accuracy == max(trial.accuracy for trial in complete)
    assert record.pruner == PRUNER
    tuned = read_recipe(tmp_path / "tuned.toml")
    assert tuned.epochs == 4, "the tuned recipe keeps the recipe's length"
    assert read_values(tuned, list(own.values)) == record.best.values
    assert list(tmp_path.rglob("*.safetensors")) == [], "trials keep no weights"
    written = read_recipe(tmp_path / "trials" / "000" / "recipe.toml")
    assert (written.epochs, written.schedule.model_dump()["warmup_epochs"]) == (2, 0.5)


def test_equal_accuracies_are_won_by_the_first_trial() -> None:
    first, second = make_trial(1, accuracy=0.9), make_trial(2, accuracy=0.9)
    worse, failed = make_trial(0, accuracy=0.8), make_trial(3, state="failed", accuracy=None)
    record = tune.with_trials(make_tuning_record(), [worse, first, second, failed])
    assert record.best is not None
    assert record.best.number == 1
    assert tune.with_trials(make_tuning_record(), [failed]).best is None


def test_same_seed_same_search(dataset: DataSet, tmp_path: Path) -> None:
    one = tune_tiny(dataset, tmp_path / "one", trials=8)
    two = tune_tiny(dataset, tmp_path / "two", trials=8)
    assert read_decisions(one) == read_decisions(two)
    assert one.importance == two.importance
    options = SearchOptions(trials=3)
    other = tune_recipe(make_mlp_recipe(seed=1), make_job(dataset, tmp_path / "three"), options)
    assert other.trials[1].values != one.trials[1].values


@pytest.mark.parametrize("killed", [0, 2, 6])
def test_a_killed_search_goes_on_to_the_same_end(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: int
) -> None:
    whole = tune_tiny(dataset, tmp_path / "whole", trials=7, epochs=3)

    def kill(self: TrialReporter, epoch: int, *_: Any) -> None:
        if self.trial.number == killed and (epoch == 2 or killed > 0):
            raise KeyboardInterrupt

    folder = tmp_path / "torn"
    with monkeypatch.context() as patch:
        patch.setattr(TrialReporter, "on_step", kill)
        with pytest.raises(KeyboardInterrupt):
            tune_tiny(dataset, folder, trials=7, epochs=3)
    with sqlite3.connect(folder / "tune.sqlite3") as database:
        running = database.execute("select number from trials where state = 'RUNNING'").fetchall()
    database.close()
    assert running == [(killed,)]
    assert len(read_record(folder).trials) == killed

    record = tune_tiny(dataset, folder, trials=7, epochs=3)
    assert read_decisions(record) == read_decisions(whole)
    more = tune_tiny(dataset, folder, trials=8, epochs=3)
    assert read_decisions(more)[:7] == read_decisions(whole)
    assert len(more.trials) == 8


def test_a_trial_that_was_pruned_before_a_kill_stays_pruned(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_finish, lost = Search.finish, []

    def die(self: Search, trial: Attempt, result: TrialResult) -> None:
        if result.state == "pruned":
            lost.append(result.extend(TrialRecord, number=trial.number, values=trial.values))
            raise KeyboardInterrupt
        true_finish(self, trial, result)

    with monkeypatch.context() as patch:
        patch.setattr(Search, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            tune_tiny(dataset, tmp_path, trials=10, epochs=4)
    record = tune_tiny(dataset, tmp_path, trials=lost[0].number + 1, epochs=4)
    ended = record.trials[-1]
    assert ended.change(seconds=0.0) == lost[0].change(seconds=0.0)
    assert 0 < ended.seconds <= lost[0].seconds


def test_a_kill_leaves_no_weights_for_good(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tune, "discard_weights", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune_tiny(dataset, tmp_path, trials=2)
    assert list(tmp_path.rglob("*.safetensors"))
    tune_tiny(dataset, tmp_path, trials=2)
    assert list(tmp_path.rglob("*.safetensors")) == []


@pytest.mark.parametrize("step", ["write_text", "check_split", "describe_environment"])
def test_a_kill_before_the_first_trial_leaves_a_folder_to_go_on_with(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = tmp_path / "torn"
    with monkeypatch.context() as patch:
        patch.setattr(tune, step, interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune_tiny(dataset, folder, trials=2)
    assert check_folder(folder, TUNE, resume=True)
    assert is_tuning_of(folder, make_mlp_recipe(), 2)
    assert not is_tuning_of(folder, make_mlp_recipe(name="other"), 2)
    tune_tiny(dataset, folder, trials=2)
    files = {"tune.json", "recipe.toml", "split.json", "split.npz", "environment.json"}
    assert files <= {path.name for path in folder.iterdir()}


def test_no_trial_that_ran_to_the_end(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: Any, **__: Any) -> Any:
        raise FailedRunError("the loss is nan")

    monkeypatch.setattr(trials, "run_recipe", diverge)
    record = tune_tiny(dataset, tmp_path, trials=2)
    assert record.best is None
    assert not (tmp_path / "tuned.toml").exists()
    with pytest.raises(FailedRunError, match="the loss is nan"):
        best_recipe(make_mlp_recipe(), record)


def test_the_budget_leaves_two_trials(dataset: DataSet, tmp_path: Path) -> None:
    record = tune_tiny(dataset, tmp_path, trials=9, budget_seconds=1e-6)
    assert len(record.trials) == 2


@pytest.mark.parametrize(
    ("seconds", "budget", "ends"),
    [([10, 10], 30, False), ([10, 10], 29, True), ([10, 2], 22, False), ([10, 2], 21, True)],
)
def test_the_budget_counts_a_whole_trial(seconds: list[int], budget: int, ends: bool) -> None:
    finished = [
        make_trial(number, seconds=spent, state="complete" if spent == 10 else "pruned")
        for number, spent in enumerate(seconds)
    ]
    record = make_tuning_record(*finished, trials_asked=9, budget_seconds=budget)
    assert (reason_to_end(record) is not None) is ends


def test_the_rerun_of_an_earlier_winner_is_forgotten(dataset: DataSet, tmp_path: Path) -> None:
    record = tune_tiny(dataset, tmp_path, trials=2)
    assert record.best is not None
    for trial, kept in ((record.best.number, True), (record.best.number + 1, False)):
        rerun = RerunRecord(trial=trial, sentence="-")
        store.write(tmp_path / TUNE, record.change(rerun=rerun))
        assert (tune_tiny(dataset, tmp_path, trials=2).rerun == rerun) is kept


def test_another_search_in_the_same_folder_is_refused(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    with pytest.raises(RecordError, match="other settings"):
        tune_tiny(dataset, tmp_path, trials=2, epochs=3)
    job, options = make_job(dataset, tmp_path), SearchOptions(trials=2)
    with pytest.raises(RecordError, match="other settings"):
        tune_recipe(make_mlp_recipe(epochs=5), job, options)
    other_split = make_job(dataset, tmp_path, split_seed=9)
    with pytest.raises(RecordError, match="another split"):
        tune_recipe(make_mlp_recipe(), other_split, options)
    with pytest.raises(SettingError, match="at least 2"):
        tune_tiny(dataset, tmp_path / "new", trials=1)
    with pytest.raises(SettingError, match="at most 100,000"):
        tune_tiny(dataset, tmp_path / "new", trials=100_001)


def test_a_search_is_not_continued_without_its_storage(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    before = (tmp_path / "tune.json").read_bytes()
    (tmp_path / "tune.sqlite3").unlink()
    with pytest.raises(RecordError, match=r"lists 2 trials, of which .*sqlite3 lacks trial 0"):
        tune_tiny(dataset, tmp_path, trials=3)
    assert (tmp_path / "tune.json").read_bytes() == before


def test_a_search_is_not_continued_without_its_record(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    (tmp_path / "tune.json").unlink()
    with pytest.raises(RecordError, match=r"tune\.json is missing, and .*tune\.sqlite3 is there"):
        tune_tiny(dataset, tmp_path, trials=2)
