"""The darkest, brightest, blurriest and sharpest images."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.records.schema import ExtremeImages
from smallvision.reporting.view import ExplorationView, Picture


@dataclass(frozen=True)
class ExtremeShown:
    """One end of a property, with a strip of images and the classes of these."""

    group: ExtremeImages
    picture: Picture | None
    classes: tuple[str, ...]


def gather(view: ExplorationView) -> tuple[ExtremeShown, ...]:
    """Collect what the section shows."""
    names, pictures = view.found.record.class_names, view.found.pictures
    return tuple(
        ExtremeShown(
            group, pictures[group.file], tuple(names[image.label] for image in group.images)
        )
        for group in view.closer.extremes
    )
