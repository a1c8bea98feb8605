"""A map of training images, on which those with similar pixels lie together."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from smallvision.records.schema import ImageMap, MappedImage
from smallvision.reporting.view import ExplorationView, Picture, call_image
from smallvision.text import show_name

COLOURS = 10  # of classes; of more classes the largest have one each
MARGIN = 3.0  # percent of the map around its points


@dataclass(frozen=True)
class ClassOnMap:
    """The images of a class, or of all without a colour: SVG path data of dots."""

    name: str
    css: str
    path: str


@dataclass(frozen=True)
class MapSection:
    """What the section shows; `data` is for the page's script, `sheet` None where it is lost."""

    record: ImageMap
    sheet: Picture | None
    n: int
    classes: tuple[ClassOnMap, ...]
    data: dict[str, object]


def gather(view: ExplorationView) -> MapSection:
    """Collect what the section shows."""
    record, found = view.found.record, view.closer.map
    sheet = view.found.pictures[found.file]
    names = list(map(show_name, record.class_names))
    return MapSection(
        record=found,
        sheet=sheet,
        n=record.n,
        classes=draw_classes(found, record.class_names, record.counts),
        data={
            "names": names,
            "sheet": [found.columns, found.width, found.height] if sheet else None,
            "images": [
                [
                    call_image(image.number, image.source_file),
                    image.label,
                    None,  # nothing has classified them
                    None,
                    *place_dot(image),
                ]
                for image in found.images
            ],
        },
    )


def draw_classes(
    found: ImageMap, names: tuple[str, ...], counts: tuple[int, ...]
) -> tuple[ClassOnMap, ...]:
    """Draw the images of each class; of many classes, all but the largest share one colour."""
    largest = sorted(range(len(names)), key=lambda k: -counts[k])[:COLOURS]
    dots: defaultdict[int | None, str] = defaultdict(str)
    for image in found.images:
        x, y = place_dot(image)
        # A line without length, which round ends make a dot.
        dots[image.label if image.label in largest else None] += f"M{x:g} {y:g}h0"
    coloured = sorted(k for k in dots if k is not None)
    drawn = [ClassOnMap(names[k], f"class-{i}", dots[k]) for i, k in enumerate(coloured)]
    if None in dots:
        drawn.insert(0, ClassOnMap(f"{len(names) - len(coloured)} other classes", "", dots[None]))
    return tuple(drawn)


def place_dot(image: MappedImage) -> tuple[float, float]:
    """Where an image lies on the map, in percent from the left and from above."""
    x, y = (MARGIN + (100 - 2 * MARGIN) * end for end in (image.place[0], 1 - image.place[1]))
    return round(x, 1), round(y, 1)
