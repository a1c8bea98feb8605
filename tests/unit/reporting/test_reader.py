from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from smallvision.errors import RecordError
from smallvision.reporting import draw_report
from smallvision.reporting.reader import read_study
from smallvision.reporting.view import Study
from tests.gold.study_folder import FINGERPRINTS, LADDER, edit_json


def test_reads_what_was_written(study: Study) -> None:
    assert study.missing == ()
    assert [rung.name for rung in study.rungs] == [entry[0] for entry in LADDER]
    assert study.winner is study.rungs[3]
    assert study.winner.outcome.val is not None
    assert study.winner.outcome.val.accuracy == 0.911
    assert study.winner.best_epoch is not None
    assert study.winner.best_epoch.epoch == 13
    assert study.card.data.test_fingerprint == FINGERPRINTS["test"]
    assert study.opened == 1
    assert study.exploration is not None
    assert study.exploration.random is not None
    assert study.exploration.random.uri.startswith("data:image/png;base64,iVBOR")


def test_verdicts_find_their_rungs(study: Study) -> None:
    mlp, vgg10 = study.rungs[:2]
    assert mlp.step is None
    assert mlp.against_best is not None
    assert vgg10.step is not None
    assert vgg10.step.against == "mlp"


def test_failed_rung_keeps_its_epochs(study: Study) -> None:
    failed = study.rungs[-1]
    assert failed.outcome.val is None
    assert len(failed.epochs) == 3
    assert failed.epochs[-1].loss is None


def test_speed_falls_back_on_the_last_epoch(folder: Path) -> None:
    edit_json(folder / "runs/mlp/status.json", images_per_second=None)
    assert read_study(folder).rungs[0].images_per_second == 820.0


def refuse(folder: Path) -> str:
    with pytest.raises(RecordError) as caught:
        read_study(folder)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_other_folders_are_refused(tmp_path: Path) -> None:
    assert "is no study folder (it has no study.json)" in refuse(tmp_path)
    assert "is no study folder" in refuse(tmp_path / "nowhere")


def test_torn_records_are_refused(folder: Path) -> None:
    (folder / "test.json").write_text('{"schema": 1, "model"')
    assert "test.json is damaged" in refuse(folder)


def test_missing_fields_are_named(folder: Path) -> None:
    record = json.loads((folder / "test.json").read_text())
    del record["per_class"][2]["recall"]
    (folder / "test.json").write_text(json.dumps(record))
    assert "test.json: per_class.2.recall: field required" in refuse(folder)


def test_wrong_types_are_named(folder: Path) -> None:
    edit_json(folder / "split.json", train_n="many")
    assert "split.json: train_n" in refuse(folder)


def test_other_schemas_are_refused(folder: Path) -> None:
    edit_json(folder / "verdicts.json", schema=2)
    assert "later version (schema 2, this one knows 1)" in refuse(folder)
    edit_json(folder / "verdicts.json", schema=0)
    assert "has schema 0, this smallvision reads schema 1" in refuse(folder)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("test.json", {"confusion": [[1, 2], [3, 4]]}),
        ("test.json", {"confusion": [[1] * 10] * 9 + [[1]]}),
        ("test.json", {"per_class": []}),
        ("split.json", {"counts": {"train": [1, 2]}}),
        ("exploration/exploration.json", {"counts": [1]}),
    ],
)
def test_records_that_contradict_the_classes_are_refused(
    folder: Path, name: str, changes: dict[str, object]
) -> None:
    edit_json(folder / name, **changes)
    assert "where study.json names 10 classes" in refuse(folder)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hostname", "a\\b.png", "..", ""])
def test_pictures_stay_in_their_folder(folder: Path, name: str) -> None:
    path = folder / "exploration/exploration.json"
    pictures = json.loads(path.read_text())["pictures"] | {"random": name}
    edit_json(path, pictures=pictures)
    assert "is not a plain file name" in refuse(folder)


def test_many_lost_pictures_are_one_line(folder: Path) -> None:
    for picture in (folder / "exploration").glob("*.png"):
        picture.unlink()
    (line,) = (line for line in read_study(folder).missing if "picture" in line)
    assert line.startswith("exploration/random.png and ")
    assert line.endswith(" other pictures are missing.")


def test_pictures_are_no_links(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("key")
    (folder / "exploration/random.png").unlink()
    (folder / "exploration/random.png").symlink_to(secret)
    assert "exploration/random.png is missing: one picture less." in read_study(folder).missing


def test_pictures_are_pictures(folder: Path) -> None:
    (folder / "exploration/random.png").write_text("<svg onload='alert(1)'/>")
    assert "random.png is not a PNG picture" in refuse(folder)


def test_rungs_stay_in_the_study(folder: Path) -> None:
    rungs = json.loads((folder / "study.json").read_text())["rungs"]
    edit_json(folder / "study.json", rungs=[rungs[0] | {"name": "../../other"}])
    assert "'../../other' is not a plain rung name" in refuse(folder)


def test_torn_last_lines_are_left_out(folder: Path) -> None:
    path = folder / "runs/mlp/metrics.jsonl"
    path.write_text(path.read_text() + '{"epoch": 15, "los')
    assert len(read_study(folder).rungs[0].epochs) == 14


def test_recipes_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "runs/mlp/recipe.toml").write_bytes(b"\xff\xfe")
    assert "recipe.toml cannot be read" in refuse(folder)


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("runs/mlp/schedule.json", {"steps_per_epoch": 0}),
        ("study.json", {"best": "../../elsewhere"}),
        ("study.json", {"name": "half \ud800"}),
    ],
)
def test_impossible_figures_are_one_line(folder: Path, place: str, changes: dict[str, Any]) -> None:
    record = json.loads((folder / place).read_text())
    record.pop("sum", None)
    (folder / place).write_text(json.dumps({**record, **changes}))
    with pytest.raises(RecordError) as caught:
        draw_report(folder)
    assert "\n" not in str(caught.value)
