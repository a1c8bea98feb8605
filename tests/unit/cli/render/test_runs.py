"""The list of runs: best first, and no part of a run at its head."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallvision.records import store
from smallvision.records.schema import RunStatus, UnfinishedRun
from tests.support.commands import Outcome
from tests.support.records import HASH, make_rate, make_status

Call = Callable[..., Outcome]


def save(folder: Path, status: RunStatus) -> None:
    """As much of a run as its line in the list needs."""
    folder.mkdir(parents=True)
    store.write(folder / "status.json", status)
    (folder / "recipe.toml").touch()


def save_run(folder: Path, accuracy: float, **fields: Any) -> None:
    rate = make_rate(accuracy)
    save(folder, make_status(val=rate, train=rate, **fields))


def list_lines(listed: str, state: str) -> list[str]:
    """The names of the runs in a state, with their indentation."""
    lines = listed.splitlines()
    return [line.split(f" {state}")[0].rstrip()[1:] for line in lines if f" {state}" in line]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs of each kind, whose parts are more accurate than they are."""
    save_run(tmp_path / "good", 0.8)
    save_run(tmp_path / "vote", 0.7, kind="ensemble")
    save_run(tmp_path / "vote/members/snapshots", 0.91)
    save_run(tmp_path / "vote/members/snapshots/refit", 0.92, kind="refit")
    save_run(tmp_path / "poor", 0.6)
    save_run(tmp_path / "poor/refit", 0.93, kind="refit")
    save_run(tmp_path / "poor/seeds/1", 0.94)
    for trial in ("trials/000", "rerun/tuned-1"):
        save_run(tmp_path / "poor/tune" / trial, 0.95)
    (tmp_path / "poor/tune/tune.json").touch()
    save_run(tmp_path / "other/trials/000", 0.5)
    return tmp_path


def test_parts_of_a_run_stand_below_it(smallvision: Call, runs: Path) -> None:
    assert list_lines(smallvision("runs", runs).out, "done") == [
        "good", "vote", "  member snapshots", "    refit", "poor", "  refit", "  seed 1",
        "other/trials/000",
    ]  # fmt: skip


def test_a_refit_has_only_its_training_accuracy(smallvision: Call, runs: Path) -> None:
    assert smallvision("runs", runs).out.count("93.0") == 1


@pytest.mark.parametrize("place", [".", "poor/tune"])
def test_runs_of_a_search_are_left_out_and_counted(
    smallvision: Call, runs: Path, place: str
) -> None:
    listed = smallvision("runs", runs / place)
    assert listed.code == 0
    assert "95.0" not in listed.out
    assert "2 runs of searches left out" in listed.out


def begin(folder: Path) -> None:
    """A run whose status says that it is under way."""
    status = UnfinishedRun(
        status="running", name="a", data="rows", mirror_safe=True, recipe_sum=HASH
    )
    save(folder, status)


def test_a_damaged_run_does_not_hide_the_others(smallvision: Call, tmp_path: Path) -> None:
    save_run(tmp_path / "whole", 0.8)
    save_run(tmp_path / "broken", 0.9)
    (tmp_path / "broken/status.json").write_text("{")
    begin(tmp_path / "begun")
    listed = smallvision("runs", tmp_path).out
    for name, state in {"whole": "done", "broken": "damaged", "begun": "stopped"}.items():
        assert list_lines(listed, state) == [name]


AT_WORK = """
import sys
from pathlib import Path
from smallvision.records.locks import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("holder", [".", "runs/mlp"])
def test_a_run_is_under_way_while_a_process_is_at_work_on_it(
    smallvision: Call, tmp_path: Path, holder: str
) -> None:
    """A study holds its own folder, in which its runs lie."""
    study = tmp_path / "study"
    begin(study / "runs/mlp")
    (study / "study.json").touch()
    command = [sys.executable, "-c", AT_WORK, str(study / holder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        assert list_lines(smallvision("runs", tmp_path).out, "running") == ["study/runs/mlp"]
        worker.communicate()
    assert list_lines(smallvision("runs", tmp_path).out, "stopped") == ["study/runs/mlp"]
