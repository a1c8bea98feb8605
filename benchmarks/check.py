"""Compare fresh measurements with the committed ones, by ratios that no change should lower.

Seconds vary from day to day. The ratios are those of the input path to a DataLoader, and of
training steps to the fastest convolution of the same measurement. They differ between processors,
so they are compared with those of a like machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.records import BENCH, Measurement, are_alike
from benchmarks.throughput.pipeline import PipelineRecord
from benchmarks.throughput.step import StepRecord
from smallvision.errors import RecordError
from smallvision.records import store

SLACK = 0.85  # turns of one job differ by a tenth on a quiet machine

Records = dict[str, Measurement]  # of one folder, by kind


def check(
    fresh: Annotated[Path, typer.Argument(metavar="FRESH", help="Folder of new records.")],
    committed: Annotated[
        Path, typer.Argument(metavar="COMMITTED", help="A folder of records for each machine.")
    ] = BENCH,
) -> None:
    """Compare the ratios of new records with those of a like machine.

    The exit code is 1 if a ratio fell below 0.85 of the committed one.
    """
    if not committed.is_dir():
        raise RecordError(f"there is no folder {committed}")
    new = read_folder(fresh)
    path, old = find_alike(new, committed)
    before, after = list_ratios(old), list_ratios(new)
    shared = sorted(before.keys() & after.keys())
    if not shared:
        raise RecordError(f"nothing to compare: no ratio is in both {fresh} and {path}")
    fell = False
    for name in shared:
        change = after[name] / before[name]
        fell |= change < SLACK
        mark = "  FELL" if change < SLACK else ""
        print(f"{name:32} {before[name]:8.3f} -> {after[name]:8.3f}  {change:5.2f}{mark}")
    if fell:
        raise typer.Exit(1)


def read_folder(folder: Path) -> Records:
    """The measurements of a folder that ratios are taken from."""
    found = {
        "pipeline": store.read_if_there(folder / "pipeline.json", PipelineRecord),
        "step": store.read_if_there(folder / "step.json", StepRecord),
    }
    return {kind: record for kind, record in found.items() if record is not None}


def find_alike(new: Records, committed: Path) -> tuple[Path, Records]:
    """The folder of a like machine, and its measurements.

    Raises:
        RecordError: there is none, or there are several.
    """
    known = {folder: read_folder(folder) for folder in sorted(committed.iterdir())}
    alike = [
        folder
        for folder, old in known.items()
        if any(are_alike(new[kind], old[kind]) for kind in new.keys() & old.keys())
    ]
    # Earlier measurements do not name the generation, so they are alike to more machines.
    named = [
        folder
        for folder in alike
        if any(record.environment.generation for record in known[folder].values())
    ]
    folders = named or alike
    if len(folders) != 1:
        found = ", ".join(map(str, folders)) or "none"
        raise RecordError(
            f"one folder below {committed} should be of a machine like this; there is {found}"
        )
    return folders[0], known[folders[0]]


def list_ratios(records: Records) -> Mapping[str, float]:
    """Every ratio that the measurements of a folder hold."""
    ratios = {}
    for record in records.values():
        if isinstance(record, PipelineRecord):
            ratios["input path to DataLoader"] = record.ratio
        if isinstance(record, StepRecord):
            for name, step in record.steps.items():
                ratios[f"{name}: step to peak"] = step.peak_share
    return ratios
