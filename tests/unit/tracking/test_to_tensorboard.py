"""Event files as TensorBoard itself reads them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from smallvision.records import store
from smallvision.records.schema import EpochMetrics
from smallvision.tracking.readings import read_tracked
from smallvision.tracking.track import track
from tests.gold.make_folders import FOLDERS
from tests.support.hostile_text import NAMES
from tests.support.records import edit_json
from tests.support.tracked import begin_run, end_run, train_on

pytest.importorskip("tensorboard", reason="pip install 'smallvision[tensorboard]' brings it")


def read_events(folder: Path) -> Any:
    """A run's folder as TensorBoard reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        found.Reload()
    return found


def read_scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    return [(one.step, pytest.approx(one.value)) for one in read_events(folder).Scalars(name)]


def track_one(run: Path, out: Path) -> Path:
    """Track a lone run; returns the one event file that there is."""
    track(run, "tensorboard", out=out)
    [path] = [path for path in out.rglob("*tfevents*") if path.is_file()]
    return path


def test_a_study_is_read_back(tmp_path: Path) -> None:
    track(FOLDERS / "study", "tensorboard", out=tmp_path)
    files = sorted(path.parent for path in tmp_path.rglob("*tfevents*"))
    assert len(files) == 3
    run = read_tracked(FOLDERS / "study/runs/mlp")
    [folder] = [path for path in files if path.name == f"mlp-{run.key[:6]}"]
    [line] = store.read_lines(FOLDERS / "study/runs/mlp/metrics.jsonl", EpochMetrics)
    assert read_scalars(folder, "val/accuracy") == [(1, line.val_accuracy)]
    assert read_scalars(folder, "test/accuracy") == [(1, run.figures["test/accuracy"])]
    [text] = read_events(folder).Tensors("settings")
    assert b"    optimizer.name = sgd" in text.tensor_proto.string_val[0]


def test_repeating_leaves_the_same_bytes(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=2)
    path = track_one(run, tmp_path / "out")
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert track_one(run, tmp_path / "out") == path
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_new_epochs_are_appended_to_the_same_file(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=1)
    path = track_one(run, tmp_path / "out")
    before, inode = path.read_bytes(), path.stat().st_ino
    train_on(run, 3)
    end_run(run)
    assert track_one(run, tmp_path / "out") == path
    assert path.read_bytes().startswith(before)
    assert path.stat().st_ino == inode, "a TensorBoard that reads the file sees what is new"
    steps = read_scalars(path.parent, "train/accuracy")
    assert steps == [(1, 0.51), (2, 0.52), (3, 0.53)]
    assert read_scalars(path.parent, "final/val/accuracy") == [(3, 0.9)]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_file_that_a_kill_tore_is_completed(tmp_path: Path, cut: int) -> None:
    run = begin_run(tmp_path / "run", epochs=2)
    path = track_one(run, tmp_path / "out")
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    track_one(run, tmp_path / "out")
    assert path.read_bytes() == whole


def test_epochs_that_were_rolled_back_are_written_anew(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=3)
    track_one(run, tmp_path / "out")
    train_on(run, 2)
    path = track_one(run, tmp_path / "out")
    assert [step for step, _ in read_scalars(path.parent, "train/loss")] == [1, 2]


def test_hostile_names_stay_inside_the_folder(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "records" / "run", data="../../" + "".join(NAMES)[:200])
    edit_json(run / "status.json", notes=list(NAMES), name="../../x")
    track_one(run, tmp_path / "out" / "here")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "records"]
