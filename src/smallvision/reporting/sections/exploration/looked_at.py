"""The data as the report has it, with what the closer look implies."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.about.choices import AUGMENTATION, NORMALISATION, Choice
from smallvision.format import format_count
from smallvision.records.schema import ExploredSource, LeftOutRecord
from smallvision.reporting.sections.data import ExploredData, gather_explored
from smallvision.reporting.view import ExplorationView, Pictured
from smallvision.shapes import Shape


@dataclass(frozen=True)
class SourceShown:
    """A source in the words of a report, which describes the data of a study."""

    name: str
    source: str
    train_n: int
    test_n: int
    class_names: tuple[str, ...]
    shape: Shape
    notes: tuple[str, ...]
    left_out: tuple[LeftOutRecord, ...]


@dataclass(frozen=True)
class LookedAt:
    """What the section shows."""

    data: SourceShown
    explored: ExploredData
    use: str = ""
    normalisation: Choice = NORMALISATION
    augmentation: Choice = AUGMENTATION


def gather(view: ExplorationView) -> LookedAt:
    """Collect what the section shows."""
    record, source = view.found.record, view.closer.source
    implied = (*record.implications, *view.closer.implications)
    found = Pictured(record.change(implications=implied), view.found.pictures)
    data = SourceShown(
        name=source.name,
        source=source.origin,
        train_n=source.train_n,
        test_n=source.test_n,
        class_names=record.class_names,
        shape=record.shape,
        notes=(describe_validation(record.n, source), *source.notes),
        left_out=source.left_out,
    )
    return LookedAt(data, gather_explored(found))


def describe_validation(n: int, source: ExploredSource) -> str:
    """Say which images validate; n others were looked at."""
    kept = format_count(source.kept_n)
    if source.declared:
        return f"The source says which {kept} images validate."
    return (
        f"Of the training images, {kept} are set aside to validate on, each class in proportion; "
        f"the other {format_count(n)} were looked at."
    )
