"""The data: classes with their pictures, how balanced they are, pixels and augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.about.choices import (
    AUGMENTATION,
    NORMALISATION,
    Choice,
    explain_augmentation,
)
from smallvision.format import format_count, format_ratio
from smallvision.records.schema import AugmentationPicture, DataDescription, ExplorationRecord
from smallvision.reporting.charts.histograms import Histogram, draw_histograms, outline_counts
from smallvision.reporting.sections.phrases import describe_use
from smallvision.reporting.view import Picture, Pictured, StudyView
from smallvision.text import show_name

FIRST_CLASSES = 20  # shown at once; the others are folded away
FOLDED = 4  # at least, of the classes that are folded away
OUTLINE_CLASSES = 30  # from here on one outline shows the balance better than rows of bars


@dataclass(frozen=True)
class ClassRow:
    """A class: how many images it has, beside the largest class, and its pictures."""

    name: str
    count: int
    share: float
    average: Picture | None
    examples: Picture | None


@dataclass(frozen=True)
class Balance:
    """The sizes of many classes: an outline in a box of 100 by 100, and a sentence."""

    path: str
    sentence: str


@dataclass(frozen=True)
class ExploredData:
    """What the exploration adds to the section."""

    record: ExplorationRecord
    random: Picture | None
    first: tuple[ClassRow, ...]
    rest: tuple[ClassRow, ...]
    balance: Balance | None
    histograms: tuple[Histogram, ...]
    before: Picture | None
    after: Picture | None
    augmentations: tuple[tuple[AugmentationPicture, Picture | None], ...]
    reasons: dict[str, Choice]

    @property
    def pictured(self) -> int:
        """How many classes have pictures."""
        rows = (*self.first, *self.rest)
        return sum(row.examples is not None or row.average is not None for row in rows)

    @property
    def previewed(self) -> bool:
        """Whether there are pictures of any augmentation."""
        return any(picture is not None for _, picture in self.augmentations)

    @property
    def sizes(self) -> str:
        """How far the classes differ in size."""
        counts = self.record.counts
        if min(counts) == max(counts):
            return "All classes are of one size."
        return (
            f"The largest class has {format_ratio(self.record.imbalance)} the images of the "
            "smallest."
        )


@dataclass(frozen=True)
class DataSection:
    """What the section shows."""

    data: DataDescription
    explored: ExploredData | None
    use: str
    normalisation: Choice = NORMALISATION
    augmentation: Choice = AUGMENTATION


def gather(study: StudyView) -> DataSection:
    """Collect what the section shows."""
    found = study.exploration
    return DataSection(
        study.record.data, gather_explored(found) if found else None, describe_use(study)
    )


def gather_explored(found: Pictured[ExplorationRecord]) -> ExploredData:
    """Collect what the exploration adds."""
    record, pictures = found.record, found.pictures
    strips = record.pictures.normalization
    rows = list_classes(found)
    first = FIRST_CLASSES if len(rows) > FIRST_CLASSES + FOLDED else len(rows)
    return ExploredData(
        record=record,
        random=pictures[record.pictures.random],
        first=rows[:first],
        rest=rows[first:],
        balance=describe_balance(record) if len(rows) > OUTLINE_CLASSES else None,
        histograms=draw_histograms(record.channels),
        before=pictures[strips.before],
        after=pictures[strips.after],
        augmentations=tuple((one, pictures[one.file]) for one in record.pictures.augmentations),
        reasons={
            one.name: reason
            for one in record.pictures.augmentations
            if (reason := explain_augmentation(one.name)) is not None
        },
    )


def list_classes(found: Pictured[ExplorationRecord]) -> tuple[ClassRow, ...]:
    """Put the pictures of each class beside its name and count."""
    record, pictures = found.record, found.pictures
    largest = max(record.counts, default=0) or 1
    averages = dict(enumerate(record.pictures.averages))
    examples = dict(enumerate(record.pictures.classes))
    return tuple(
        ClassRow(
            name=name,
            count=count,
            share=count / largest,
            average=pictures.get(averages.get(number, "")),
            examples=pictures.get(examples.get(number, "")),
        )
        for number, (name, count) in enumerate(zip(record.class_names, record.counts, strict=False))
    )


def describe_balance(record: ExplorationRecord) -> Balance:
    """Say how far the sizes of many classes differ, and outline them if they do."""
    ranked = sorted(zip(record.counts, record.class_names, strict=False), key=lambda row: -row[0])
    (most, largest), (least, smallest) = ranked[0], ranked[-1]
    sentence = (
        f"From {format_count(most)} images ({show_name(largest)}) down to {format_count(least)} "
        f"({show_name(smallest)}), the classes in order of size."
    )
    if most == least:
        sentence = f"Every class has {format_count(most)} images."
    return Balance(outline_counts(record.counts), sentence)
