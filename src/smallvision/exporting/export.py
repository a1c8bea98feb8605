"""A finished model, made ready for other programs, checked and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from smallvision.exporting.check import (
    COMPARED,
    MEASURED,
    Verification,
    check_outputs,
    verify,
)
from smallvision.exporting.describe import describe_served, list_entries, spell_about
from smallvision.exporting.graph import build_graph, store_in_half, write_graph
from smallvision.exporting.hub import push_folder, write_hub_files
from smallvision.exporting.options import ExportOptions
from smallvision.exporting.program import PROGRAM, LoadedProgram, trace, write_program
from smallvision.exporting.quantize import quantize
from smallvision.exporting.source import CheckImages, ExportSource
from smallvision.exporting.stage import stage
from smallvision.format import format_percent
from smallvision.records import store
from smallvision.records.files import MAX_WEIGHTS_BYTES, hash_bytes, now, read_bytes, write_bytes
from smallvision.records.layout import EXPORT, GRAPH
from smallvision.records.nofollow import list_folder
from smallvision.records.schema import ExportRecord
from smallvision.serving.runner import Runner, order_images
from smallvision.shapes import Floats, Images

BATCH = 64  # images that a torch program answers at a time
ONE_LOOK = (
    "The program takes one look at each image; in this package images that are uncertain are "
    "shifted too, and `uncertain` in smallvision.json says when."
)


@dataclass(frozen=True, eq=False)
class Export:
    """An exported model: its folder, and what was found out about it.

    Attributes:
        folder: where it lies.
        address: of what was sent to the Hub, or None.
    """

    folder: Path
    address: str | None = None

    @property
    def record(self) -> ExportRecord:
        """The content of `export.json`."""
        return store.read(self.folder / EXPORT, ExportRecord)

    def __repr__(self) -> str:
        record = self.record
        return f"Export({str(self.folder)!r}, {record.target}, {record.model.weights})"


def count_wanted(options: ExportOptions) -> int:
    """The most images that an export is checked on."""
    return COMPARED if options.weights == "fp32" else MEASURED


def export_model(
    source: ExportSource, images: CheckImages, folder: Path, options: ExportOptions
) -> Export:
    """Export a model, compare its answers with those before, and keep it if they agree.

    Args:
        source: the model.
        images: to compare answers on.
        folder: new or empty.
        options: of the export.

    Raises:
        RecordError: the answers differ, more accuracy is lost than may be, or the folder is in
            use; nothing is kept.
        SettingError: the model cannot be exported so.
    """
    options.check_installed()
    with stage(folder) as place:
        if options.target == "torch":
            found, notes = export_program(source, images, place, options)
        else:
            found, notes = export_graph(source, images, place, options), images.notes
        if options.target == "hub":
            write_hub_files(source, options, place, (*notes, *describe_loss(found, options)))
        record = describe_export(source, options, found, place)
        store.write(place / EXPORT, record.change(notes=notes))
    address = None if options.push is None else push_folder(folder, options.push)
    return Export(folder, address)


def export_graph(
    source: ExportSource, images: CheckImages, place: Path, options: ExportOptions
) -> Verification:
    """Write a model as ONNX, and find out whether the runner answers from it as the model does.

    Args:
        source, images, options: as for `export_model`.
        place: where it is written.
    """
    graph = build_graph(source.model, options.layout)
    if options.weights == "fp16":
        store_in_half(graph)
    elif options.weights == "int8":
        assert images.calibration is not None  # as was asked for
        graph = quantize(graph, images.calibration, options.layout)
    about = describe_served(source, options)
    write_bytes(place / GRAPH, write_graph(graph, list_entries(about)))
    check_outputs(place / GRAPH, images.images, options.layout, about.temperature)
    runner = Runner(place / GRAPH, threads=source.model.machine.threads)
    return verify(source.model, runner.predict, images, options)


def export_program(
    source: ExportSource, images: CheckImages, place: Path, options: ExportOptions
) -> tuple[Verification, tuple[str, ...]]:
    """Write a model as a torch program, and compare what it answers after one look.

    Args:
        source, images, options: as for `export_model`.
        place: where it is written.

    Returns: what was found out, and what a person should know.
    """
    about = spell_about(describe_served(source, options))
    content = write_program(trace(source.model, options.layout), about)
    write_bytes(place / PROGRAM, content)
    model, notes = source.model, images.notes
    if model.tta.shift:
        model, notes = replace(model, tta=replace(model.tta, shift=0)), (*notes, ONE_LOOK)
    program = LoadedProgram(content)
    return verify(model, answer_with(program, options), images, options), notes


def answer_with(program: LoadedProgram, options: ExportOptions) -> Callable[[Images], Floats]:
    """A torch program as a function of images `(N, C, H, W)`."""

    def answer(images: Images) -> Floats:
        batches = torch.split(torch.from_numpy(order_images(images, options.layout)), BATCH)
        return torch.cat([program.predict(batch) for batch in batches]).numpy()

    return answer


def describe_export(
    source: ExportSource, options: ExportOptions, found: Verification, place: Path
) -> ExportRecord:
    """The record of an export whose files lie in a folder."""
    files = tuple(list_folder(place))
    contents = [read_bytes(place / name, MAX_WEIGHTS_BYTES) for name in files]
    return ExportRecord(
        target=options.target,
        time=now(),
        source=source.name,
        model=describe_served(source, options),
        files=files,
        hashes=tuple(map(hash_bytes, contents)),
        sizes=tuple(map(len, contents)),
        check=found.check,
        val_before=found.before,
        val=found.after,
        loss_of_accuracy=measure_loss(found),
        notes=(),
    )


def measure_loss(found: Verification) -> float | None:
    """The accuracy before less that after, where both were measured."""
    if found.before is None or found.after is None:
        return None
    return found.before.accuracy - found.after.accuracy


def describe_loss(found: Verification, options: ExportOptions) -> tuple[str, ...]:
    """A sentence about what the smaller weights of the ONNX file do, where there are such."""
    if options.weights == "fp32" or found.before is None or found.after is None:
        return ()
    n = found.after.n
    return (
        f"The ONNX file stores its weights as {options.weights}: it classifies "
        f"{format_percent(found.after.accuracy, n)} of {n:,} {found.check.images} images "
        f"correctly, the model itself {format_percent(found.before.accuracy, n)}.",
    )
