"""`smallvision ensemble` and `distill`: several networks as one, and one that learns from them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.commands import FAST, Outcome, assert_refused, call_command, spell_settings

Call = Callable[..., Outcome]
CYCLES = spell_settings(
    "epochs=3",
    "schedule.name=sgdr",
    "schedule.cycles=3",
    "schedule.cycle_mult=1",
    "stopping.patience=0",
    "model.hidden=[32]",
    "compute.threads=1",
)


class Snapshots(NamedTuple):
    """A run of three cycles, and the ensemble of its snapshots.

    Attributes:
        run: folder of the run.
        folder: folder of the ensemble.
        record: what `--json` printed of the ensemble.
        told: what was printed for people.
    """

    run: Path
    folder: Path
    record: dict[str, Any]
    told: str


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    place = tmp_path_factory.mktemp("snapshots")
    run, folder = place / "run", place / "ensemble"
    trained = call_command("train", "digits", "mlp", "--out", run, *CYCLES)
    assert trained.code == 0, trained.err
    built = call_command("ensemble", run, "--select", "all", "--out", folder, "--json")
    assert built.code == 0, built.err
    return Snapshots(run, folder, built.json["ensemble"], built.words)


def test_each_cycle_gives_a_member(snapshots: Snapshots) -> None:
    assert {member["epoch"] for member in snapshots.record["members"]} == {1, 2, 3}
    assert snapshots.record["cost"]["size_ratio"] > 2


def test_an_ensemble_tells_its_gain_and_its_cost(snapshots: Snapshots) -> None:
    assert snapshots.record["against_single"]["sentence"] in snapshots.told
    assert snapshots.record["averaged_weights"]["sentence"] in snapshots.told
    assert "times as long as the single network" in snapshots.told


def test_an_ensemble_is_tested_and_listed_as_a_run_is(
    smallvision: Call, snapshots: Snapshots
) -> None:
    tested = smallvision("evaluate", snapshots.folder, "digits", "--json")
    assert tested.code == 0, tested.err
    assert (tested.json["openings"], tested.json["model"]) == (1, "ensemble")
    listed = smallvision("runs", snapshots.folder.parent)
    assert re.search(r"ensemble +done", listed.out)


def test_a_student_learns_from_an_ensemble(
    smallvision: Call, snapshots: Snapshots, tmp_path: Path
) -> None:
    options = ("--out", tmp_path / "student", "--set", "epochs=1", "--json")
    taught = smallvision("distill", snapshots.folder, *options)
    assert taught.code == 0, taught.err
    record = taught.json["distilled"]
    assert record["cost"]["size_ratio"] < 0.5
    assert record["against_teacher"]["sentence"] in taught.words
    assert smallvision("evaluate", tmp_path / "student", "--json").code == 0


def test_an_ensemble_replaces_no_other(smallvision: Call, snapshots: Snapshots) -> None:
    refused = smallvision("ensemble", snapshots.run, "--out", snapshots.folder)
    assert_refused(refused, "already holds results")


@pytest.fixture(scope="module")
def runs(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs on data from a path."""
    folders = [tmp_path_factory.mktemp("runs") / name for name in ("a", "b")]
    for folder in folders:
        outcome = call_command("train", rows, "mlp", "--out", folder, *FAST)
        assert outcome.code == 0, outcome.err
    return folders


def test_an_ensemble_refuses_other_data(
    smallvision: Call, runs: list[Path], tmp_path: Path
) -> None:
    refused = smallvision("ensemble", *runs, "--data", "digits", "--out", tmp_path / "e")
    assert_refused(refused, "other images")
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize("is_named", [True, False])
def test_an_ensemble_is_built_on_data_from_a_path(
    smallvision: Call, runs: list[Path], rows: Path, tmp_path: Path, is_named: bool
) -> None:
    named = ("--data", rows) if is_named else ()
    built = smallvision("ensemble", *runs, *named, "--out", tmp_path / "e")
    assert built.code == 0, built.err
