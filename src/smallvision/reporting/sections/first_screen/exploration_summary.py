"""The first screen of an exploration: how many images of what, and what is seen of them at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallvision.format import format_count, format_percent
from smallvision.records.schema import CloserLook, ExplorationRecord
from smallvision.records.schema.measures import UNEVEN
from smallvision.reporting.sections.first_screen.facts import Fact
from smallvision.reporting.sections.first_screen.headline import Headline
from smallvision.reporting.sections.first_screen.summary import SHEET_ROWS
from smallvision.reporting.sections.phrases import describe_shape
from smallvision.reporting.view import ExplorationView, Picture


@dataclass(frozen=True)
class ExplorationSummary:
    """What the first screen shows."""

    name: str
    sheet: Picture | None
    sheet_height: int
    headline: Headline
    facts: tuple[Fact, ...]


def gather(view: ExplorationView) -> ExplorationSummary:
    """Collect what the first screen shows."""
    record, closer = view.found.record, view.closer
    sheet = view.found.pictures[record.pictures.random]
    rows = SHEET_ROWS * (record.shape[1] + 1) - 1
    return ExplorationSummary(
        name=closer.source.name,
        sheet=sheet,
        sheet_height=min(sheet.height, rows) if sheet else 0,
        headline=write_headline(record, closer),
        facts=(
            describe_images(record),
            describe_balance(record),
            describe_alike(record, closer),
            describe_neighbours(closer),
        ),
    )


def write_headline(record: ExplorationRecord, closer: CloserLook) -> Headline:
    """Say how many images of how many classes were looked at, and which were not."""
    source = closer.source
    unseen = [
        *([f"{format_count(source.kept_n)} images to validate on"] if source.kept_n else []),
        *(
            [f"{format_count(source.test_n)} images of the sealed test set"]
            if source.test_n
            else []
        ),
    ]
    support = (
        f"Looked at is the training split alone; {' and '.join(unseen)} had no part in any figure "
        "or picture of this page."
        if unseen
        else "Looked at is the training split."
    )
    after = f"training images of {format_count(len(record.class_names))} classes."
    return Headline(f"{source.name}:", format_count(record.n), after, support)


def describe_images(record: ExplorationRecord) -> Fact:
    """Say how large the images are, and how large the pictures were."""
    details = [f"{format_count(math.prod(record.shape))} values each"]
    if record.sizes and record.sizes.distinct > 1:
        details.append(f"from pictures of {format_count(record.sizes.distinct)} sizes")
    return Fact("Images", describe_shape(record.shape), tuple(details))


def describe_balance(record: ExplorationRecord) -> Fact:
    """Say how even the classes are."""
    least, most = min(record.counts), max(record.counts)
    sizes = f"{format_count(least)} to {format_count(most)} images a class"
    if least == most:
        sizes = f"{format_count(least)} images each"
    even = record.imbalance <= UNEVEN and least > 0
    value = f"{record.imbalance:.1f} to 1"
    return Fact("Largest to smallest class", value, (sizes,), "plain" if even else "alert")


def describe_alike(record: ExplorationRecord, closer: CloserLook) -> Fact:
    """Say how many images occur twice, or nearly."""
    pairs = closer.pairs
    details = []
    if pairs.conflicts:
        details.append(f"{format_count(pairs.conflicts)} groups of them have more than one class")
    if pairs.searched:
        share = format_percent(pairs.found / pairs.searched, pairs.searched)
        about = "about " if pairs.interval else ""
        details.append(f"{about}{share} have a near-duplicate")
    else:
        details.append("near-duplicates: not searched for among such images")
    copies = record.duplicates.images
    value = f"{format_count(copies)} images" if copies else "none"
    return Fact("Identical images", value, tuple(details), "alert" if pairs.conflicts else "plain")


def describe_neighbours(closer: CloserLook) -> Fact:
    """Say how far the most similar image is of the same class."""
    found = closer.map
    n = len(found.images)
    details = (
        f"of {format_count(n)} images have the class of the one with the most similar pixels; by "
        f"chance {format_percent(found.chance, n)}",
    )
    return Fact("Neighbours of one class", format_percent(found.same_class, n), details)
