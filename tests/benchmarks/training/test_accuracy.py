from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.training import process
from benchmarks.training.accuracy import AccuracyGoal, TimedRunRecord, measure_accuracy
from smallvision.errors import FailedRunError, RecordError, SettingError
from smallvision.records import store

SMALL = ("epochs=1", "model.widths=[8]", "batch_size=64", "micro_batch=0", "random_crop_phase=[]")
SMALL += ("tta.shift=0", "compute.threads=1")


def stub_processes(
    monkeypatch: pytest.MonkeyPatch, code: int = 0, said: str = "", complaint: str = ""
) -> None:
    """Stand in for the processes that train; each insists on a folder that is not there yet."""

    def train(arguments: list[str], **_settings: object) -> subprocess.CompletedProcess[str]:
        Path(arguments[arguments.index("--out") + 1]).mkdir(parents=True)
        return subprocess.CompletedProcess(arguments, code, said, complaint)

    monkeypatch.setattr(process, "subprocess", SimpleNamespace(run=train))


SAID = json.dumps({"val": {"accuracy": 0.9, "n": 10}, "seconds": 1.0})


def test_a_run_is_a_whole_process_that_opens_the_test_set_once(tmp_path: Path) -> None:
    goal = AccuracyGoal(0.94, "test", "digits", settings=SMALL)
    record = measure_accuracy(goal, tmp_path, seeds=1)
    (run,) = record.runs
    assert run.seconds > run.training_seconds
    assert (record.split, record.n) == ("test", 359)
    ledger = tmp_path / "seed-0" / "ledger.jsonl"
    assert len(ledger.read_text().splitlines()) == 1
    assert measure_accuracy(goal, tmp_path, seeds=1).runs == record.runs, "no seed is tried twice"
    (tmp_path / "seed-0" / "bench.json").unlink()
    with pytest.raises(RecordError, match="opened the test set, and was cut short"):
        measure_accuracy(goal, tmp_path, seeds=1)
    assert len(ledger.read_text().splitlines()) == 1


def test_figures_are_means_over_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goal = AccuracyGoal(0.94, "val", "digits")
    stub_processes(monkeypatch, said=SAID)
    measure_accuracy(goal, tmp_path, seeds=1)
    stub_processes(monkeypatch, said=SAID.replace("0.9", "0.95"))
    record = measure_accuracy(goal, tmp_path, seeds=2)
    assert [(run.seed, run.accuracy) for run in record.runs] == [(0, 0.9), (1, 0.95)]
    assert record.accuracy.mean == pytest.approx(0.925)
    assert record.reached == 0.5
    assert "50 % of the runs reached 94 %." in record.sentences


def test_runs_on_other_images_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_processes(monkeypatch, said=SAID)
    goal = AccuracyGoal(0.94, "val", "digits")
    measure_accuracy(goal, tmp_path, seeds=1)
    other = tmp_path / "other.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    np.savez(other, images=pixels, labels=np.repeat([0, 1], 10))
    for change in ({"split": "test"}, {"settings": ("epochs=2",)}, {"data": str(other)}):
        with pytest.raises(RecordError, match="another recipe or on other images"):
            measure_accuracy(replace(goal, **change), tmp_path, seeds=1)


def test_a_run_that_was_cut_short_is_timed_from_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_processes(monkeypatch, said=SAID)
    (tmp_path / "seed-1").mkdir()
    (tmp_path / "seed-1" / "status.json").write_text("{}")
    assert len(measure_accuracy(AccuracyGoal(0.94, "val", "digits"), tmp_path, seeds=2).runs) == 2


def test_runs_on_another_machine_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_processes(monkeypatch, said=SAID)
    goal = AccuracyGoal(0.94, "val", "digits")
    measure_accuracy(goal, tmp_path, seeds=1)
    path = tmp_path / "seed-0" / "bench.json"
    record = store.read(path, TimedRunRecord)
    elsewhere = record.environment.model_copy(update={"processor": "another"})
    store.write(path, record.model_copy(update={"environment": elsewhere}))
    with pytest.raises(RecordError, match="another machine"):
        measure_accuracy(goal, tmp_path, seeds=1)


@pytest.mark.parametrize(("code", "kind"), [(1, FailedRunError), (2, SettingError)])
def test_a_run_that_fails_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception]
) -> None:
    stub_processes(monkeypatch, code, complaint="warning\nerror: it diverged\n")
    with pytest.raises(kind, match=r"seed-0: it diverged$"):
        measure_accuracy(AccuracyGoal(0.94, "val", "digits"), tmp_path, seeds=1)
