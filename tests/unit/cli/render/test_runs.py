"""The list of runs: best first, and no part of a run at its head."""

from __future__ import annotations

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


def test_a_damaged_run_does_not_hide_the_others(smallvision: Call, tmp_path: Path) -> None:
    save_run(tmp_path / "whole", 0.8)
    save_run(tmp_path / "broken", 0.9)
    (tmp_path / "broken/status.json").write_text("{")
    status = UnfinishedRun(
        status="running", name="a", data="rows", mirror_safe=True, recipe_sum=HASH
    )
    save(tmp_path / "begun", status)
    listed = smallvision("runs", tmp_path).out
    for name, state in {"whole": "done", "broken": "damaged", "begun": "running"}.items():
        assert list_lines(listed, state) == [name]
