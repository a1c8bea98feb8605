"""What the winner gets wrong on validation images, with pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from smallvision.format import format_p, format_percent, join_words
from smallvision.records.schema import ErrorAnalysisRecord, LabelIssue
from smallvision.reporting.charts.gallery import Gallery, draw_gallery
from smallvision.reporting.charts.slices import SlicePlot, draw_slices
from smallvision.reporting.view import Picture, Pictured, StudyView

LEVEL = 0.05
MEANINGS = {  # of the properties, as they are measured on an image
    "brightness": "Mean of all pixels in grey, from 0, black, to 1, white.",
    "contrast": "Standard deviation of the pixels in grey.",
    "sharpness": "How much pixels differ from their neighbours: variance of the Laplacian "
    "(Pech-Pacheco et al., ICPR 2000).",
    "nearness to another class": "Distance of the pixels to the average image of the own class, "
    "divided by the sum of that and the distance to the nearest average of another class: beyond "
    "0.5 the other is nearer.",
}


BRIEFLY = {  # what a name does not tell, where there is no room for its meaning
    "nearness to another class": "nearness to another class (of pixels, to its average image)"
}


class Shown(Protocol):
    """An image of which there may be a picture."""

    @property
    def file(self) -> str | None:
        """Its name."""


@dataclass(frozen=True)
class ErrorsSection:
    """What the section shows; `widest` is the width of a strip of eight images, in pixels."""

    record: ErrorAnalysisRecord
    pictures: Mapping[str, Picture | None]
    class_names: tuple[str, ...]
    widest: int
    causes: str
    slices: tuple[SlicePlot, ...]
    meanings: Mapping[str, str]
    gallery: Gallery | None

    @property
    def doubted(self) -> frozenset[int]:
        """The numbers of the confident errors whose label is in doubt."""
        worst = {error.index for error in self.record.worst}
        return frozenset(one.index for one in self.record.label_issues.images if one.index in worst)

    @property
    def further_doubted(self) -> tuple[LabelIssue, ...]:
        """Other labels in doubt of which there is a picture."""
        found = self.record.label_issues.images
        return tuple(one for one in found if self.shows([one]) and one.index not in self.doubted)

    def shows(self, images: Iterable[Shown]) -> bool:
        """Whether there is a picture of any of them."""
        return any(one.file and self.pictures[one.file] for one in images)


def gather(study: StudyView) -> ErrorsSection | None:
    """Collect what the section shows; None where the winner's errors were not analysed."""
    return gather_record(study.errors) if study.errors is not None else None


def gather_record(found: Pictured[ErrorAnalysisRecord]) -> ErrorsSection:
    """Collect what the section shows of an error analysis."""
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
        class_names=record.class_names,
        # A strip of few images is as narrow as they are.
        widest=max((max(strip.width, 8 * (strip.height + 1) - 1) for strip in strips), default=1),
        causes=describe_causes(record),
        slices=draw_slices(record.slices),
        meanings=MEANINGS,
        gallery=(
            draw_gallery(record, record.gallery, pictures[record.gallery.file])
            if record.gallery
            else None
        ),
    )


def sum_up_causes(record: ErrorAnalysisRecord) -> str:
    """Why errors happen, as far as tests show it, in one sentence; empty without errors."""
    tested = {one.name: one for one in record.slices if one.p_within is not None}
    if not tested or not record.errors:
        return ""
    linked = sorted((p, name) for name, one in tested.items() if (p := one.p_within or 0.0) < LEVEL)
    if not linked:
        return (
            f"Why could not be shown: errors go with none of {join_words(list(tested))} beyond "
            "chance among images of one class."
        )
    p, name = linked[0]
    bins = tested[name].bins
    ranked = sorted(range(len(bins)), key=lambda i: bins[i].accuracy)
    worst, best = (
        f"{format_percent(1 - bins[i].accuracy, bins[i].n)} where it is "
        f"{'lowest' if i == 0 else 'highest' if i == len(bins) - 1 else 'middling'}"
        for i in (ranked[0], ranked[-1])
    )
    more = [other for _, other in linked[1:]]
    also = f"; also with {join_words(more)}" if more else ""
    return (
        f"Errors go with {explain(name)}, also among images of one class ({format_p(p)}): of all "
        f"images, wrong are {worst} and {best}{also}."
    )


def explain(name: str) -> str:
    """A property, with what its name does not tell."""
    return BRIEFLY.get(name, name)


def describe_causes(record: ErrorAnalysisRecord) -> str:
    """Which measured properties errors go with, among images of one class; empty without errors.

    Nothing is claimed where the difference may be chance, or a matter of which classes the images
    are of.
    """
    tested = [one for one in record.slices if one.p_within is not None]
    if not tested or not record.errors:
        return ""
    linked = [one.name for one in tested if one.p_within is not None and one.p_within < LEVEL]
    others = [one.name for one in tested if one.name not in linked]
    corrected = f"tests at the 5 % level, corrected for {2 * len(tested)} of them"
    if not linked:
        return (
            f"Among images of one class, errors go with none of {join_words(others)} beyond chance "
            f"({corrected}), so nothing is claimed of why they happen."
        )
    open_ones = f" Of {join_words(others)} no such link was shown." if others else ""
    named = join_words([explain(name) for name in linked])
    return (
        f"Among images of one class, errors go with {named} beyond chance ({corrected}). "
        f"This is a link, not a proof of a cause.{open_ones}"
    )
