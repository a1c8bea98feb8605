"""An exported model in the terminal."""

from __future__ import annotations

from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.tables import print_plain
from smallvision.exporting.export import Export
from smallvision.format import format_accuracy, format_interval, format_points, format_size
from smallvision.records.schema import ExportCheck, ExportRecord
from smallvision.text import show_name

KINDS = {
    "validation": "validation images",
    "labelled": "labelled images",
    "made up": "images that are made up",
}
MADE = {"onnx": "ONNX", "torch": "a torch program", "hub": "a folder for the Hub"}


def print_export(exported: Export, console: PlainConsole) -> None:
    """Print what was made, how it was checked and where it lies."""
    record = exported.record
    console.print(
        f"{show_name(record.source)} as {MADE[record.target]}, {record.model.weights} "
        f"({format_size(sum(record.sizes))}).",
        style="bold",
    )
    console.print(state_check(record.check))
    if loss := state_loss(record):
        console.print(loss)
    for note in record.notes:
        console.print(note)
    if record.check.images == "made up":
        console.print("With --data it is compared on images of the data set it was trained on.")
    print_plain(console, f"Export: {exported.folder}")
    if exported.address is not None:
        print_plain(console, f"On the Hub: {exported.address}")


def state_check(check: ExportCheck) -> str:
    """How its answers compare."""
    kind = KINDS[check.images]
    same = "all" if check.same_class == check.n else f"{check.same_class:,}"
    return (
        f"It gives the class of the model to {same} of {check.n:,} {kind}; probabilities differ "
        f"by at most {check.largest_difference:.1g}."
    )


def state_loss(record: ExportRecord) -> str:
    """The accuracy before and after, where some may be lost; else nothing."""
    before, after, lost = record.val_before, record.val, record.loss_of_accuracy
    if record.model.weights == "fp32" or before is None or after is None or lost is None:
        return ""
    return (
        f"Accuracy {format_accuracy(after)} on {after.n:,} {KINDS[record.check.images]} (95 % "
        f"interval {format_interval(after)}), {format_accuracy(before)} before: "
        f"{format_points(-lost, after.n)}."
    )
