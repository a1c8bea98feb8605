"""Validation images to look through, and the map of what a model makes of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smallvision.records.schema import ErrorAnalysisRecord, GalleryImage, ValidationGallery
from smallvision.reporting.view import Picture, call_image
from smallvision.text import show_name

COLOURS = 10  # of classes; of more classes several share one
LABELLED = 20  # classes; more labels would hide the map
MARGIN = 3.0  # percent of the map around its points
LINE, NEAR = 5.0, 18.0  # percent of the map that a label takes, and within which two are beside


@dataclass(frozen=True)
class ClassDots:
    """The images of a class on the map: SVG path data of dots, those of errors apart."""

    name: str
    css: str
    right: str
    wrong: str
    label: tuple[float, float] | None


@dataclass(frozen=True)
class Gallery:
    """What the page shows; `data` is for its script, and `sheet` None where the picture is lost."""

    record: ValidationGallery
    sheet: Picture | None
    classes: tuple[ClassDots, ...]
    mapped: int
    complete: bool
    data: dict[str, object]


def draw_gallery(
    record: ErrorAnalysisRecord, gallery: ValidationGallery, sheet: Picture | None
) -> Gallery:
    """Draw the map, and list the images for the page's script."""
    return Gallery(
        record=gallery,
        sheet=sheet,
        classes=label_classes(record.class_names, gallery.images),
        mapped=sum(image.place is not None for image in gallery.images),
        complete=gallery.errors == record.errors,
        data={
            "names": list(map(show_name, record.class_names)),
            "errors": gallery.errors == record.errors,
            "all": len(gallery.images) == record.n,
            "sheet": [gallery.columns, gallery.width, gallery.height] if sheet else None,
            "images": [
                [
                    call_image(image.index, image.source_file),
                    image.true,
                    image.predicted,
                    round(image.probability, 4),
                    *(place_dot(image) or ()),
                ]
                for image in gallery.images
            ],
        },
    )


def place_dot(image: GalleryImage) -> tuple[float, float] | None:
    """Where an image lies on the map, in percent from the left and from above."""
    if image.place is None:
        return None
    x, y = (MARGIN + (100 - 2 * MARGIN) * end for end in (image.place[0], 1 - image.place[1]))
    return round(x, 1), round(y, 1)


def label_classes(names: Sequence[str], images: Iterable[GalleryImage]) -> tuple[ClassDots, ...]:
    """Draw the images of each class, with its name in their middle where there are few classes."""
    dots: list[list[tuple[float, float, bool]]] = [[] for _ in names]
    for image in images:
        if place := place_dot(image):
            dots[image.true].append((*place, image.true == image.predicted))
    middles = {
        k: (statistics.median(x for x, *_ in found), statistics.median(y for _, y, _ in found))
        for k, found in enumerate(dots)
        if found
    }
    labels = part_labels(middles) if len(names) <= LABELLED else {}
    return tuple(
        ClassDots(
            name=name,
            css=f"class-{k % COLOURS}",
            right=trace_dots((x, y) for x, y, right in found if right),
            wrong=trace_dots((x, y) for x, y, right in found if not right),
            label=labels.get(k),
        )
        for k, (name, found) in enumerate(zip(names, dots, strict=True))
    )


def part_labels(middles: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
    """Move labels down until none lies on another."""
    placed: dict[int, tuple[float, float]] = {}
    for k, (x, y) in sorted(middles.items(), key=lambda one: one[1][1]):
        near = [b + LINE for a, b in placed.values() if abs(a - x) < NEAR]
        placed[k] = (round(x, 1), round(max([y, *near]), 1))
    return placed


def trace_dots(places: Iterable[tuple[float, float]]) -> str:
    """SVG path data of dots: lines without length, which round ends make visible."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in places)
