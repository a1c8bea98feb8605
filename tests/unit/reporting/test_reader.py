from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.reporting import draw_report
from smallvision.reporting.reader import read_run, read_study
from smallvision.reporting.view import StudyView
from tests.support.records import edit_json
from tests.support.study_folder import SEEDS, SHORT, TEST_FINGERPRINT, build_study, write_run
from tests.support.study_records import make_run_status

TUNING = "runs/tuned/tune/tune.json"
ENSEMBLE = "runs/snapshot-ensemble/ensemble.json"
EXPLORATION = "exploration/exploration.json"
ERRORS = "runs/snapshot-ensemble/errors/errors.json"
SEED_SUMMARY = "runs/wrn-aug/seeds.json"
LATER = [TUNING, ENSEMBLE, ERRORS, SEED_SUMMARY]
RECORDS = [
    "study.json", "split.json", "exploration/exploration.json", "verdicts.json", "test.json",
    "environment.json", "runs/mlp/status.json", "runs/mlp/schedule.json",
    "runs/wrn-aug-mish/status.json", *LATER,
]  # fmt: skip


def load(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def refuse(folder: Path) -> str:
    with pytest.raises(RecordError) as caught:
        read_study(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_reads_what_was_written(study: StudyView) -> None:
    assert study.missing == ()
    assert [rung.name for rung in study.rungs] == [rung.name for rung in SHORT]
    winner = study.winner
    assert winner is study.rungs[3]
    assert winner.run.val is not None
    assert winner.run.val.accuracy == 0.911
    assert winner.run.kept_epoch is not None
    assert winner.run.kept_epoch.epoch == 13
    assert study.record.data.test_fingerprint == TEST_FINGERPRINT
    assert study.opened == 1


def test_reads_what_later_rungs_wrote(whole: StudyView) -> None:
    assert whole.missing == ()
    tuned, winner, seeded = (
        whole.find_rung(name) for name in ("tuned", "snapshot-ensemble", "wrn-aug")
    )
    assert tuned is not None
    assert tuned.tuning is not None
    assert len(tuned.tuning.trials) == 10
    assert winner is not None
    assert winner.ensemble is not None
    assert winner.snapshots is not None
    assert len(winner.snapshots.epochs) == 14
    assert winner.run.epochs == ()
    assert seeded is not None
    assert seeded.run.seeds == SEEDS


def test_verdicts_find_their_rungs(study: StudyView) -> None:
    mlp, vgg10 = study.rungs[:2]
    assert mlp.step is None
    assert mlp.against_best is not None
    assert vgg10.step is not None
    assert vgg10.step.against == "mlp"


def test_failed_rung_keeps_its_epochs(study: StudyView) -> None:
    run = study.rungs[-1].run
    assert run.val is None
    assert run.finished is None
    assert len(run.epochs) == 3


def test_other_folders_are_refused(tmp_path: Path) -> None:
    assert "is no study folder (it has no study.json)" in refuse(tmp_path)
    assert "is no study folder" in refuse(tmp_path / "nowhere")
    with pytest.raises(RecordError, match="is neither a study nor a run"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", RECORDS)
def test_torn_records_are_one_line(whole_copy: Path, name: str) -> None:
    path = whole_copy / name
    path.write_text(path.read_text()[:-40])
    assert f"{Path(name).name} is damaged" in refuse(whole_copy)


@pytest.mark.parametrize("name", RECORDS)
def test_flipped_bits_are_one_line(whole_copy: Path, name: str) -> None:
    path = whole_copy / name
    fields = load(path)
    fields["sum"] = f"{int(fields['sum'], 16) ^ 1:016x}"
    path.write_text(json.dumps(fields))
    assert f"{Path(name).name} is damaged" in refuse(whole_copy)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (TUNING, "space"),
        (ENSEMBLE, "steps"),
        (ERRORS, "pairs"),
        (SEED_SUMMARY, "std"),
        ("test.json", "per_class"),
        ("runs/mlp/status.json", "gap"),
    ],
)
def test_missing_fields_are_named(whole_copy: Path, name: str, field: str) -> None:
    fields = load(whole_copy / name)
    del fields["sum"], fields[field]
    (whole_copy / name).write_text(json.dumps(fields))
    assert f"'{field}' is missing" in refuse(whole_copy)


def test_wrong_types_are_named_however_deep(whole_copy: Path) -> None:
    trials = load(whole_copy / TUNING)["trials"]
    edit_json(whole_copy / TUNING, trials=[trials[0] | {"state": "tired"}])
    assert "'trials.0.state' is 'tired'" in refuse(whole_copy)


def test_later_versions_are_refused(folder: Path) -> None:
    edit_json(folder / "verdicts.json", schema=2)
    assert "later version (schema 2, this one knows 1)" in refuse(folder)


def test_damaged_lines_are_one_line(folder: Path) -> None:
    path = folder / "runs/mlp/metrics.jsonl"
    path.write_text(path.read_text().replace('"epoch": 3', '"epoch": 33', 1))
    assert "metrics.jsonl, line 3, is damaged" in refuse(folder)


def test_torn_last_lines_are_left_out(folder: Path) -> None:
    path = folder / "runs/mlp/metrics.jsonl"
    path.write_text(path.read_text() + '{"epoch": 15, "los')
    assert len(read_study(folder).rungs[0].run.epochs) == 14


@pytest.mark.parametrize("name", LATER)
def test_records_that_not_every_study_has_may_be_absent(whole_copy: Path, name: str) -> None:
    (whole_copy / name).unlink()
    assert read_study(whole_copy).missing == ()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("test.json", "there is no test result"),
        ("verdicts.json", "no rung could be compared"),
        ("split.json", "cannot say how images were split"),
        ("environment.json", "versions and hardware are unknown"),
        ("exploration", "cannot show the data"),
        ("runs/vgg10/status.json", "vgg10 has no figures"),
    ],
)
def test_missing_records_are_named(folder: Path, gone: str, said: str) -> None:
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    (line,) = read_study(folder).missing
    assert "is missing: " in line
    assert said in line


@pytest.mark.parametrize("name", ["test.json", "split.json", EXPLORATION])
def test_records_that_contradict_the_classes_are_refused(
    folder: Path, tmp_path: Path, name: str
) -> None:
    other = build_study(tmp_path / "other", ("a", "b"))
    shutil.copy(other / name, folder / name)
    assert "where study.json names 10 classes" in refuse(folder)


@pytest.mark.parametrize(
    ("field", "changes"),
    [("disagreements", {"votes": [10]}), ("pairs", {"predicted": 10}), ("worst", {"true": 10})],
)
def test_classes_out_of_range_are_refused(
    whole_copy: Path, field: str, changes: dict[str, Any]
) -> None:
    record = load(whole_copy / ERRORS)
    names, rows = record["class_names"], record[field]
    edit_json(whole_copy / ERRORS, class_names=[*names, "another"], **{field: [rows[0] | changes]})
    assert "where study.json names 10 classes" in refuse(whole_copy)


def test_the_winner_is_one_of_the_rungs(folder: Path) -> None:
    edit_json(folder / "study.json", best="elsewhere")
    assert "is none of its rungs" in refuse(folder)


def test_rungs_stay_in_the_study(folder: Path) -> None:
    rungs = load(folder / "study.json")["rungs"]
    edit_json(folder / "study.json", best=None, rungs=[rungs[0] | {"name": "../../other"}])
    assert "'rungs.0.name' is '../../other'" in refuse(folder)


def test_recipes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "runs/mlp/recipe.toml").write_bytes(b"\xff\xfe")
    assert "recipe.toml cannot be read" in refuse(folder)


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("runs/mlp/schedule.json", {"steps_per_epoch": 0}),
        ("runs/mlp/status.json", {"compute": {"threads": 0}}),
        ("study.json", {"name": "half \ud800"}),
        ("test.json", {"interval": [1e308, -1e308]}),
    ],
)
def test_impossible_figures_are_one_line(folder: Path, place: str, changes: dict[str, Any]) -> None:
    edit_json(folder / place, **changes)
    with pytest.raises(RecordError) as caught:
        draw_report(folder)
    assert "\n" not in str(caught.value)
    assert "restore it" in str(caught.value)


def test_a_run_comes_with_the_runs_inside_it(folder: Path) -> None:
    run = folder / "runs/mlp"
    for name in ("10", "9"):
        write_run(run / "seeds" / name, SHORT[0], 0, np.random.default_rng(0))
    (run / "refit").mkdir()
    store.write(run / "refit/status.json", make_run_status("mlp", 548, 2_710, kind="refit"))
    found = read_run(run)
    assert [one.name for one in found.runs] == ["mlp", "seed 9", "seed 10", "refit"]
    assert found.run.val is not None
    assert found.runs[-1].val is None, "a refit was trained on the validation images"
    assert found.test is None
