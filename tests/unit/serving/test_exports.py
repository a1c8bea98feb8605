"""Which file is served, and when a model is exported anew."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from smallvision.errors import RecordError
from smallvision.predict import SavedModel
from smallvision.records import store
from smallvision.records.files import hash_file, now
from smallvision.records.layout import read_status
from smallvision.records.model_folders import (
    find_classifier_folder,
    find_records,
    fingerprint_model,
)
from smallvision.records.schema.measures import Rate
from smallvision.records.schema.models.exported import ExportCheck, ExportRecord
from smallvision.serving import exports
from smallvision.serving.exports import find_exported
from smallvision.serving.runner import Runner
from tests.gold.make_folders import FOLDERS
from tests.support.models import CONVOLUTIONAL, make_model
from tests.support.serving import write_onnx

VAL = Rate(accuracy=0.9, interval=(0.8, 0.95), n=100, loss=0.3)


def write_export(model: SavedModel, folder: Path) -> None:
    """What `smallvision export` writes."""
    folder.mkdir(parents=True)
    path = write_onnx(model, folder / "model.onnx")
    record = ExportRecord(
        target="onnx",
        time=now(),
        source="somewhere",
        model=Runner(path).about,
        files=("model.onnx",),
        hashes=(hash_file(path),),
        sizes=(path.stat().st_size,),
        check=ExportCheck(images="validation", n=10, same_class=10, largest_difference=0.0),
        val_before=VAL,
        val=VAL,
        loss_of_accuracy=0.0,
        notes=(),
    )
    store.write(folder / "export.json", record)


class Export:
    """Takes the place of the process that exports, and counts what it is asked."""

    def __init__(self, model: SavedModel) -> None:
        self.model = model
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        write_export(self.model, Path(command[command.index("--out") + 1]))
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def export(linear: SavedModel, monkeypatch: pytest.MonkeyPatch) -> Export:
    standing_in = Export(linear)
    monkeypatch.setattr(exports.subprocess, "run", standing_in)
    return standing_in


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    make_model(0, CONVOLUTIONAL).save(tmp_path / "saved")
    return tmp_path / "saved"


def test_a_file_is_served_as_it_is(export: Export, onnx_file: Path) -> None:
    assert find_exported(onnx_file, print) == exports.ExportedFile(onnx_file, None)
    assert export.asked == []


def test_a_folder_is_served_with_its_accuracy(
    export: Export, linear: SavedModel, tmp_path: Path
) -> None:
    write_export(linear, tmp_path / "exported")
    for place in (tmp_path / "exported", tmp_path / "exported" / "model.onnx"):
        found = find_exported(place, print)
        assert (found.path, found.val) == (tmp_path / "exported" / "model.onnx", VAL)
    assert export.asked == []


def test_where_an_export_measured_none_the_run_tells(
    export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its data may be on another machine; the included model never has them."""
    monkeypatch.setattr(exports, "read_accuracy", lambda *_: None)
    for place, run in (
        (FOLDERS / "run", FOLDERS / "run"),
        (Path("cifar10"), find_records(find_classifier_folder(Path("cifar10")))),
    ):
        assert find_exported(place, print).val == read_status(run).val
    # Neither of these was kept from its validation images.
    assert find_exported(FOLDERS / "study", print).val is None, "it was trained once more"
    assert find_exported(FOLDERS / "all-images", print).val is None


def test_an_accuracy_on_images_of_its_training_is_not_told(
    linear: SavedModel, tmp_path: Path
) -> None:
    folder = tmp_path / "exported"
    write_export(linear, folder)
    record = store.read(folder / "export.json", ExportRecord)
    labelled = record.change(check=record.check.change(images="labelled"))
    store.write(folder / "export.json", labelled)
    assert find_exported(folder, print).val is None


def test_the_accuracy_of_another_file_is_not_told(linear: SavedModel, tmp_path: Path) -> None:
    write_export(linear, tmp_path / "exported")
    path = tmp_path / "exported" / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    assert find_exported(path, print).val is None


def test_a_model_is_exported_once(export: Export, saved: Path) -> None:
    said: list[str] = []
    first = find_exported(saved, said.append)
    second = find_exported(saved, said.append)
    assert first == second
    assert first.val == VAL
    assert fingerprint_model(saved).removeprefix("sha256:")[:32] in str(first.path)
    [command] = export.asked
    assert command[1:5] == ["-m", "smallvision", "export", str(saved)]
    assert said == [f"{saved} is exported to ONNX, once"]


def test_another_model_at_the_same_place_is_exported_too(export: Export, saved: Path) -> None:
    first = find_exported(saved, print)
    make_model(1, CONVOLUTIONAL).save(saved)
    assert find_exported(saved, print).path != first.path
    assert len(export.asked) == 2


@pytest.mark.parametrize("damaged", ["model.onnx", "export.json"])
def test_a_damaged_export_is_made_anew(damaged: str, export: Export, saved: Path) -> None:
    first = find_exported(saved, print)
    path = first.path.with_name(damaged)
    path.write_bytes(path.read_bytes()[:-7] + b"1234567")
    assert find_exported(saved, print) == first
    assert len(export.asked) == 2
    assert Runner(first.path).about.name == "linear"


def test_an_export_that_fails_is_one_line_and_leaves_nothing(
    saved: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        Path(command[-1]).mkdir()
        return subprocess.CompletedProcess(command, 2, "", "a warning\nerror: it is too large\n")

    monkeypatch.setattr(exports.subprocess, "run", fail)
    with pytest.raises(RecordError, match=f"{saved} cannot be exported: it is too large"):
        find_exported(saved, print)
    assert list((tmp_path / "cache" / "exports").iterdir()) == []


def test_what_is_no_model_is_refused(tmp_path: Path, export: Export) -> None:
    with pytest.raises(RecordError, match=r"holds no model; it is no folder, nor .*\(cifar10\)"):
        find_exported(tmp_path / "nothing", print)
    with pytest.raises(RecordError, match=r"holds no model; is the run finished\?"):
        find_exported(tmp_path, print)
    assert export.asked == []
