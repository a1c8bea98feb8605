"""Where runs and studies keep what, and which folders are runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import layout, store
from smallvision.records.schema import LearningRateSchedule, Record, UnfinishedRun
from tests.support.records import HASH, make_status, make_study_record

SHARED = {"name": "tiny", "data": "rows", "mirror_safe": True, "recipe_sum": HASH}


def make_run(folder: Path, status: Record | None = None) -> Path:
    """A run folder, as far as the layout looks."""
    folder.mkdir(parents=True)
    (folder / "recipe.toml").touch()
    store.write(folder / "status.json", status or make_status())
    return folder


def test_folders_are_numbered_and_found_again(tmp_path: Path) -> None:
    for expected in ("s", "s-2", "s-3"):
        folder = layout.number_folder(tmp_path, "s")
        assert folder.name == expected
        folder.mkdir()
    (tmp_path / "s-2" / "study.json").write_text("{}")
    (tmp_path / "s-quick").mkdir()
    (tmp_path / "s-quick" / "study.json").write_text("{}")
    assert layout.newest_folder(tmp_path, "s", "study.json") == tmp_path / "s-2"
    assert layout.newest_folder(tmp_path, "s", "status.json") is None


def test_the_newest_folder_has_the_highest_number_whatever_the_clock_said(tmp_path: Path) -> None:
    folders = [tmp_path / ("s" if number == 1 else f"s-{number}") for number in range(1, 12)]
    for age, folder in enumerate(folders):
        folder.mkdir()
        (folder / "status.json").write_text("{}")
        os.utime(folder / "status.json", (2_000_000_000 - age, 2_000_000_000 - age))
    assert layout.newest_folder(tmp_path, "s", "status.json") == tmp_path / "s-11"


def test_another_name_is_no_number(tmp_path: Path) -> None:
    for name in ("s", "s-2", "s16", "s-two", "[s]-3"):
        (tmp_path / name).mkdir()
    assert [path.name for path in layout.list_numbered(tmp_path, "s")] == ["s", "s-2"]
    assert [path.name for path in layout.list_numbered(tmp_path, "[s]")] == ["[s]-3"]


def test_only_a_run_that_came_to_its_end_is_finished(tmp_path: Path) -> None:
    assert not layout.is_finished(tmp_path / "none")
    assert layout.is_finished(make_run(tmp_path / "done"))
    for status in ("running", "failed", "pruned"):
        run = make_run(tmp_path / status, UnfinishedRun(status=status, **SHARED))
        assert not layout.is_finished(run)


def test_runs_are_found_in_order_and_one_that_is_damaged_hides_none(tmp_path: Path) -> None:
    for name in ("runs/b", "runs/a", "runs/a/seeds/10", "runs/a/seeds/9"):
        make_run(tmp_path / name)
    (tmp_path / "runs" / "b" / "status.json").write_text("{}")
    (tmp_path / "no run").mkdir()
    (tmp_path / "no run" / "status.json").write_text("{}")
    found = {str(path.relative_to(tmp_path)): status for path, status in layout.find_runs(tmp_path)}
    assert list(found) == ["runs/a", "runs/a/seeds/9", "runs/a/seeds/10", "runs/b"]
    assert found["runs/a"] == make_status()
    assert found["runs/b"] is None
    with pytest.raises(RecordError, match="is no folder"):
        list(layout.find_runs(tmp_path / "none"))


def test_repeats_are_listed_by_seed_and_state(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for seed in (10, 9):
        make_run(run / "seeds" / str(seed))
    failed = make_run(run / "seeds" / "11", UnfinishedRun(status="failed", **SHARED))
    make_run(run / "seeds" / "12", UnfinishedRun(status="running", **SHARED))
    assert layout.list_repeats(run) == [run / "seeds" / "9", run / "seeds" / "10"]
    assert layout.list_failed(run) == [failed]


def test_a_run_knows_what_it_belongs_to(tmp_path: Path) -> None:
    study = tmp_path / "study"
    run = layout.run_folder(study, "mlp")
    inside = [run / "seeds" / "1", run / "members" / "snapshots", run / "refit"]
    assert [layout.parent_run(path) for path in (run, *inside)] == [None, run, run, run]
    assert layout.find_study(run) is None
    study.mkdir()
    store.write(study / "study.json", make_study_record())
    assert [layout.find_study(path) for path in (run, *inside)] == [study] * 4
    assert layout.find_study(study / "elsewhere" / "run") is None


def test_trials_and_reruns_are_of_a_search(tmp_path: Path) -> None:
    for name in ("trials", "rerun"):
        run = tmp_path / name / "0"
        run.mkdir(parents=True)
        assert not layout.is_of_search(run)
    (tmp_path / "tune.json").touch()
    assert layout.is_of_search(tmp_path / "trials" / "0")
    assert layout.is_of_search(tmp_path / "rerun" / "0")
    assert not layout.is_of_search(tmp_path / "runs" / "0")


def make_checkpoint(run: Path, epoch: int, *, complete: bool = True) -> Path:
    """A checkpoint folder, as far as the layout looks."""
    folder = layout.checkpoint_folder(run, epoch)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    if complete:
        (folder / "manifest.json").touch()
    return folder


def test_checkpoints_are_listed_and_pruned(tmp_path: Path) -> None:
    for epoch in (2, 10, 1000):
        make_checkpoint(tmp_path, epoch)
    half = make_checkpoint(tmp_path, 11, complete=False)
    paused = layout.paused_folder(tmp_path)
    paused.mkdir()
    (paused / "manifest.json").touch()
    assert layout.list_checkpoints(tmp_path) == [2, 10, 1000]
    assert layout.is_complete(layout.checkpoint_folder(tmp_path, 2))
    assert not layout.is_complete(half)
    layout.remove_unfinished(tmp_path)
    assert not half.exists()
    layout.prune_checkpoints(tmp_path, {10})
    assert layout.list_checkpoints(tmp_path) == [10]
    assert paused.exists(), "it is of an epoch that has no number yet"
    layout.remove_checkpoint(paused)
    layout.remove_checkpoint(paused)
    assert not paused.exists()


def test_cycles_end_with_epochs(tmp_path: Path) -> None:
    schedule = LearningRateSchedule(
        kind="sgdr",
        epochs=3,
        steps_per_epoch=4,
        lr=0.1,
        step=(0,),
        value=(0.1,),
        cycle_ends=(3, 11),
    )
    store.write(tmp_path / "schedule.json", schedule)
    assert layout.list_ends(tmp_path) == [1, 3]
