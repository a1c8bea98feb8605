from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.schema import StudyRecord, TestRecord
from smallvision.tracking.readings import find_tracked, is_over, make_safe, read_tracked
from tests.gold.make_folders import FOLDERS
from tests.support.hostile_text import NAMES, find_acting
from tests.support.records import edit_json
from tests.support.tracked import begin_run, end_run, train_on


def read_all(folder: Path) -> dict[str, str]:
    """The keys of the runs of a folder by name."""
    return {run.name: run.key for run in map(read_tracked, find_tracked(folder))}


def test_a_study_has_its_runs_but_those_of_searches(tmp_path: Path) -> None:
    study = Path(shutil.copytree(FOLDERS / "study", tmp_path / "study"))
    shutil.copytree(FOLDERS / "tuning", study / "runs" / "tuned" / "tune")
    found = read_all(study)
    assert list(found) == ["study/mlp", "study/mlp/refit", "study/mlp/seeds/1"]
    assert len(set(found.values())) == 3
    with pytest.raises(RecordError, match="neither a study nor a run"):
        find_tracked(FOLDERS / "tuning")


def test_a_run_keeps_its_key_wherever_it_is_read_from(tmp_path: Path) -> None:
    known = read_all(FOLDERS / "study")
    moved = Path(shutil.copytree(FOLDERS / "study", tmp_path / "elsewhere"))
    assert read_all(moved) == known
    assert read_all(moved / "runs" / "mlp") == known
    assert read_all(moved / "runs/mlp/refit")["study/mlp/refit"] == known["study/mlp/refit"]


def test_other_runs_have_other_keys(tmp_path: Path) -> None:
    one = begin_run(tmp_path / "one")
    keys = {read_tracked(one).key, read_tracked(begin_run(tmp_path / "two")).key}
    keys.add(read_tracked(begin_run(tmp_path / "x/one", data="others")).key)
    assert len(keys) == 3
    before = read_tracked(one).key
    train_on(one, 3)
    end_run(one)
    assert read_tracked(one).key == before


def test_settings_epochs_and_figures_are_those_of_the_records(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", epochs=2)
    begun = read_tracked(run)
    assert (begun.state, begun.is_over, begun.figures) == ("stopped", False, {})
    assert begun.params["optimizer.weight_decay"] == "0.0005"
    assert begun.params["augment"] == "flip probability=0.5, crop padding=1"
    assert begun.params["model.depth"] == "10"
    assert list(begun.epochs) == [1, 2]
    assert begun.epochs[2]["train/accuracy"] == 0.52
    assert "val/score" not in begun.epochs[2]
    end_run(run)
    done = read_tracked(run)
    assert (done.state, done.is_over) == ("done", True)
    assert done.figures["final/val/accuracy"] == 0.9
    assert done.figures["final/parameters"] == 10.0
    assert "test/accuracy" not in done.figures


def test_the_winner_and_its_test_are_told() -> None:
    runs = {run.name: run for run in map(read_tracked, find_tracked(FOLDERS / "study"))}
    test = store.read(FOLDERS / "study/test.json", TestRecord)
    assert runs["study/mlp"].tags["winner"] == "yes"
    assert runs["study/mlp/seeds/1"].tags["winner"] == "no"
    assert runs["study/mlp"].figures["test/accuracy"] == test.accuracy
    assert "test/accuracy" not in runs["study/mlp/seeds/1"].figures
    record = store.read(FOLDERS / "study/study.json", StudyRecord)
    assert record.created.startswith("20")
    assert runs["study/mlp"].created > 1.7e9


def test_a_study_is_over_when_it_says_so(tmp_path: Path) -> None:
    assert is_over(FOLDERS / "study")
    assert not is_over(FOLDERS / "paused")
    study = Path(shutil.copytree(FOLDERS / "study", tmp_path / "study"))
    edit_json(study / "study.json", finished=None)
    assert not is_over(study)


def test_texts_are_fit_to_be_shown(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run", data="".join(NAMES)[:200])
    edit_json(run / "status.json", notes=list(NAMES))
    read = read_tracked(run)
    texts = [read.name, read.place, read.project, *read.tags.values(), *read.params.values()]
    assert not [text for text in texts if find_acting(text)]
    assert len(read.project) <= 100


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("study/mlp", "study/mlp"),
        ("../../etc/passwd", "etc/passwd"),
        ("/root/.ssh", "root/ssh"),
        ("a\\b:c\n", "a-b-c"),
        ("....", "run"),
        ("猫", "run"),
        ("x" * 500, "x" * 100),
    ],
)
def test_names_become_plain_paths(name: str, safe: str) -> None:
    assert make_safe(name) == safe


def test_a_damaged_run_is_told_in_a_line(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    (run / "metrics.jsonl").write_text('{"epoch": -1}\n{"epoch": 2}\n')
    with pytest.raises(RecordError, match=r"metrics\.jsonl, line 1, is damaged"):
        read_tracked(run)
