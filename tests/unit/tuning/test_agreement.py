"""The storage, the record and the runs of a search: which differences are legitimate."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from smallvision.data.dataset import DataSet
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.layout import METRICS, STATUS, TUNE, read_status
from smallvision.records.schema import EpochMetrics, TuningRecord
from smallvision.tuning import tune
from smallvision.tuning.agreement import Agreement
from smallvision.tuning.search import EndedTrial
from smallvision.tuning.storage import default_storage
from smallvision.tuning.trials import trial_folder
from tests.support.tuning import make_trial, make_tuning_record, read_decisions, tune_tiny


def test_every_field_of_a_trial_is_compared(tmp_path: Path) -> None:
    trial = make_trial(0, note="-")
    other: dict[str, Any] = {
        "number": 1,
        "values": {"optimizer.lr": 0.03},
        "state": "pruned",
        "accuracy": 0.8,
        "epochs": 1,
        "seconds": 2.0,
        "note": None,
    }
    assert other.keys() == type(trial).model_fields.keys(), "a new field is compared too"
    agreement = Agreement(tmp_path, "the storage")
    agreement.check_record(make_tuning_record(trial), [EndedTrial(trial, {}, "alone")])
    for field, value in other.items():
        changed = EndedTrial(trial.change(**{field: value}), {}, "alone")
        reason = "lacks trial 0" if field == "number" else f"trial 0: {field} is"
        with pytest.raises(RecordError, match=reason):
            agreement.check_record(make_tuning_record(trial), [changed])


def test_a_kill_may_leave_the_storage_ahead_of_the_record(dataset: DataSet, tmp_path: Path) -> None:
    whole = tune_tiny(dataset, tmp_path, trials=3)
    store.write(tmp_path / TUNE, whole.change(trials=whole.trials[:1], best=None))
    assert read_decisions(tune_tiny(dataset, tmp_path, trials=3)) == read_decisions(whole)


def test_an_edit_while_the_search_is_under_way_is_noticed(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = tune.with_trials

    def tamper(record: TuningRecord, trials: Any) -> TuningRecord:
        found = true(record, trials)
        return found.change(trials=tuple(one.change(accuracy=0.5) for one in found.trials))

    monkeypatch.setattr(tune, "with_trials", tamper)
    with pytest.raises(RecordError, match=r"disagree on trial 0: accuracy is 0\.5"):
        tune_tiny(dataset, tmp_path, trials=3)


def test_workers_that_share_a_storage_lack_each_others_runs(
    dataset: DataSet, tmp_path: Path
) -> None:
    url = default_storage(tmp_path)
    tune_tiny(dataset, tmp_path / "a", trials=2, storage=url)
    both = tune_tiny(dataset, tmp_path / "b", trials=3, storage=url)
    assert [run.name for run in sorted((tmp_path / "b" / "trials").iterdir())] == ["002"]
    again = tune_tiny(dataset, tmp_path / "a", trials=3, storage=url)
    assert read_decisions(again) == read_decisions(both)


def test_runs_that_were_removed_are_not_missed(dataset: DataSet, tmp_path: Path) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    shutil.rmtree(tmp_path / "trials")
    assert len(tune_tiny(dataset, tmp_path, trials=3).trials) == 3


def test_a_run_that_had_to_repeat_epochs_is_not_held_to_the_first_time(
    dataset: DataSet, tmp_path: Path
) -> None:
    tune_tiny(dataset, tmp_path, trials=2)
    run = trial_folder(tmp_path, 0)
    lines = store.read_lines(run / METRICS, EpochMetrics)
    store.write_lines(run / METRICS, [line.change(val_accuracy=0.125) for line in lines])
    with pytest.raises(RecordError, match=r"the accuracy after epoch 1 is 0\.125 in the first"):
        tune_tiny(dataset, tmp_path, trials=2)
    store.write(run / STATUS, read_status(run).change(notes=("rolled back",)))
    tune_tiny(dataset, tmp_path, trials=2)
