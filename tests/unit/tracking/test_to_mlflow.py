"""MLflow's own client reads a database back."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from smallvision.errors import UserError
from smallvision.records import store
from smallvision.tracking.readings import read_tracked
from smallvision.tracking.track import track
from tests.gold.make_folders import FOLDERS
from tests.support.records import edit_json, make_metrics
from tests.support.tracked import begin_run, end_run, train_on

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("mlflow", reason="pip install 'smallvision[mlflow]' brings it")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database, which takes seconds to make."""
    folder = tmp_path_factory.mktemp("mlflow")
    track(FOLDERS / "study", "mlflow", out=folder)
    return folder


def find_entries(database: Path, key: str) -> tuple[Any, list[Any]]:
    """A client of a database, and all that it has under a key."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=f"sqlite:///{database}/mlflow.db")
        places = [one.experiment_id for one in client.search_experiments()]
        return client, list(client.search_runs(places, f"tags.`smallvision.key` = '{key}'"))


def read_entry(database: Path, run: Path) -> tuple[Any, Any]:
    """A client, and the one entry of a run."""
    client, [entry] = find_entries(database, read_tracked(run).key)
    return client, entry


def read_history(client: Any, entry: Any, name: str) -> list[tuple[int, float]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points = client.get_metric_history(entry.info.run_id, name)
    return [(point.step, point.value) for point in points]


def test_a_study_is_read_back(database: Path) -> None:
    run = read_tracked(FOLDERS / "study/runs/mlp")
    client, entry = read_entry(database, FOLDERS / "study/runs/mlp")
    assert entry.info.run_name == "study/mlp"
    assert entry.info.status == "FINISHED"
    assert entry.info.start_time == round(1000 * run.created)
    assert entry.data.params == dict(run.params)
    assert entry.data.tags["smallvision.winner"] == "yes"
    assert entry.data.metrics["test/accuracy"] == run.figures["test/accuracy"]
    assert read_history(client, entry, "val/loss") == [(1, run.epochs[1]["val/loss"])]


def test_repeating_tells_nothing_twice(database: Path) -> None:
    run = FOLDERS / "study/runs/mlp"
    client, entry = read_entry(database, run)
    before = {name: read_history(client, entry, name) for name in entry.data.metrics}
    track(FOLDERS / "study", "mlflow", out=database)
    client, again = read_entry(database, run)
    assert again.info.run_id == entry.info.run_id
    assert {name: read_history(client, again, name) for name in again.data.metrics} == before


def test_nothing_new_is_no_request(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("it was told before")

    monkeypatch.setattr("mlflow.MlflowClient.log_batch", refuse)
    monkeypatch.setattr("mlflow.MlflowClient.set_terminated", refuse)
    track(FOLDERS / "study", "mlflow", out=database)


def test_an_epoch_that_was_trained_again_stands_once(database: Path, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "again", epochs=2)
    track(run, "mlflow", out=database)
    lines = [make_metrics(epoch, seconds=9.0 * epoch) for epoch in (1, 2)]
    store.write_lines(run / "metrics.jsonl", lines)
    track(run, "mlflow", out=database)
    client, entry = read_entry(database, run)
    assert read_history(client, entry, "seconds") == [(1, 2.0), (2, 4.0)]


def test_only_new_epochs_are_told(database: Path, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=1)
    track(run, "mlflow", out=database)
    _, entry = read_entry(database, run)
    assert entry.info.status == "RUNNING"
    assert entry.data.tags["smallvision.state"] == "stopped"
    train_on(run, 3)
    end_run(run)
    track(run, "mlflow", out=database)
    client, entry = read_entry(database, run)
    steps = read_history(client, entry, "train/accuracy")
    assert steps == [(1, 0.51), (2, 0.52), (3, 0.53)]
    assert (entry.info.status, entry.data.tags["smallvision.state"]) == ("FINISHED", "done")
    assert entry.data.metrics["final/val/accuracy"] == 0.9


def test_a_figure_that_changed_is_told(database: Path, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "changed")
    end_run(run, gap=0.05)
    track(run, "mlflow", out=database)
    end_run(run, gap=0.06)
    track(run, "mlflow", out=database)
    client, entry = read_entry(database, run)
    assert entry.data.metrics["final/gap"] == 0.06
    assert len(read_history(client, entry, "final/seconds")) == 1


def test_a_run_that_failed_says_so(database: Path, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "failed")
    edit_json(run / "status.json", status="failed", error="the loss became NaN")
    track(run, "mlflow", out=database)
    _, entry = read_entry(database, run)
    assert entry.info.status == "FAILED"
    assert entry.data.tags["smallvision.error"] == "the loss became NaN"


def test_a_database_that_is_none_is_one_line(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    uri = "mysql://me:hunter2@127.0.0.1:9/db"  # MLflow asks a database ten times
    with pytest.raises(UserError, match="mlflow failed at mysql://") as raised:
        track(run, "mlflow", uri=uri)
    assert "hunter2" not in str(raised.value)
