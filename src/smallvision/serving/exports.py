"""The ONNX file of a model: named as it is, or exported once by a process of its own.

The export needs torch, which the server is spared: it runs the command `smallvision export`, and
keeps what that writes in the cache, under the fingerprint of the model.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from smallvision.data.storage.room import cache_folder
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import hash_file, make_folder
from smallvision.records.layout import EXPORT, GRAPH, STATUS
from smallvision.records.model_folders import (
    find_classifier_folder,
    find_records,
    fingerprint_model,
    list_pretrained,
    read_finished,
)
from smallvision.records.nofollow import exists, remove_folder
from smallvision.records.schema.measures import Rate
from smallvision.records.schema.models.exported import ExportRecord
from smallvision.records.schema.run import ValidatedRun


@dataclass(frozen=True)
class ExportedFile:
    """An exported model as a file.

    Attributes:
        path: of the ONNX file.
        val: its accuracy on validation images, as its export measured it, or else its run; None
            where it is not known.
    """

    path: Path
    val: Rate | None


def find_exported(place: Path, say: Callable[[str], None]) -> ExportedFile:
    """The ONNX file of a model, which is exported if it has not been.

    Args:
        place: the file, a folder that `smallvision export` wrote, a study, a run, a saved model, or
            the name of one that comes with the package.
        say: takes a line about what takes long.

    Raises:
        RecordError: there is no such model, it is damaged, or it cannot be exported.
    """
    if place.is_file():
        return ExportedFile(place, read_accuracy(place.parent, place))
    if exists(place / GRAPH):
        return ExportedFile(place / GRAPH, read_accuracy(place, place / GRAPH))
    folder = find_classifier_folder(place)
    name = fingerprint_model(folder).removeprefix("sha256:")[:32]
    kept = cache_folder() / "exports" / f"{version('smallvision')}-{name}"
    if not is_whole(kept):
        say(f"{place} is exported to ONNX, once")
        export_into(place, kept)
    val = read_accuracy(kept, kept / GRAPH) or recall_accuracy(folder)
    return ExportedFile(kept / GRAPH, val)


def is_whole(folder: Path) -> bool:
    """Whether a folder of the cache holds an export whose file is the one that was written."""
    try:
        record = store.read(folder / EXPORT, ExportRecord)
        hashes = dict(zip(record.files, record.hashes, strict=True))
        return hashes.get(GRAPH) == hash_file(folder / GRAPH)
    except RecordError:
        return False


def read_accuracy(folder: Path, model: Path) -> Rate | None:
    """The accuracy that the record beside an ONNX file tells of this very file, or None.

    It counts only where it was measured on images that the model was not trained on.
    """
    record = store.read_if_there(folder / EXPORT, ExportRecord)
    if record is None or model.name not in record.files or record.check.images != "validation":
        return None
    expected = record.hashes[record.files.index(model.name)]
    return record.val if hash_file(model) == expected else None


def recall_accuracy(model: Path) -> Rate | None:
    """The accuracy that the run of a saved model measured, or None where there is no such run.

    A model that was trained on its validation images too has none.
    """
    place = find_records(model) if model in list_pretrained() else model.parent
    if not exists(place / STATUS):
        return None
    run = read_finished(place)
    return run.val if isinstance(run, ValidatedRun) and run.kind != "refit" else None


def export_into(place: Path, folder: Path) -> None:
    """Export a model into a folder of the cache, in which there may be a damaged export.

    Raises:
        RecordError: the export fails, or the cache cannot be written.
    """
    make_folder(folder.parent)
    remove_folder(folder)
    try:
        run_export(place, folder)
    except RecordError:
        if is_whole(folder):  # another process was quicker
            return
        remove_folder(folder)
        raise
    if not is_whole(folder):
        raise RecordError(f"the export of {place} is not whole; try again")


def run_export(place: Path, folder: Path) -> None:
    """Run `smallvision export` in a process of its own.

    Raises:
        RecordError: it fails; the reason is the line that it says last.
    """
    command = [sys.executable, "-m", "smallvision", "export", str(place), "--out", str(folder)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].removeprefix("error: ") if lines else f"exit code {done.returncode}"
        raise RecordError(f"{place} cannot be exported: {reason}")
