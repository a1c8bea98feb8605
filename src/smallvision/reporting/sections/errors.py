"""What the winner gets wrong on validation images, with pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smallvision.records.schema import ErrorAnalysisRecord
from smallvision.reporting.charts.slices import SlicePlot, draw_slices
from smallvision.reporting.view import Picture, StudyView


@dataclass(frozen=True)
class ErrorsSection:
    """What the section shows; `widest` is the width of the widest strip of a pair, in pixels."""

    record: ErrorAnalysisRecord
    pictures: Mapping[str, Picture | None]
    class_names: tuple[str, ...]
    widest: int
    slices: tuple[SlicePlot, ...]


def gather(study: StudyView) -> ErrorsSection | None:
    """Collect what the section shows; None where the winner's errors were not analysed."""
    found = study.errors
    if found is None:
        return None
    record, pictures = found.record, found.pictures
    strips = [
        picture
        for pair in record.pairs
        for name in (pair.file, pair.reverse_file)
        if name is not None and (picture := pictures[name]) is not None
    ]
    return ErrorsSection(
        record=record,
        pictures=pictures,
        class_names=study.record.data.class_names,
        widest=max((strip.width for strip in strips), default=1),
        slices=draw_slices(record.slices),
    )
