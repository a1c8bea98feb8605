"""What each section of a page says, and the table of the sections.

A section is one file here, which collects what is shown; one template of the same name; and one
line of a table below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from smallvision.reporting.sections import (
    data,
    ensemble,
    errors,
    evaluation,
    ladder,
    model,
    protocol,
    reproduce,
    training,
    tuning,
)
from smallvision.reporting.sections.exploration import (
    alike,
    extremes,
    image_map,
    looked_at,
    sizes,
)
from smallvision.reporting.view import ExplorationView, LoneRunView, StudyView

View = TypeVar("View")


@dataclass(frozen=True)
class Section(Generic[View]):
    """A section of a page.

    Attributes:
        name: of its template, and its anchor on the page.
        title: as the page shows it.
        gather: collects what the template draws, or gives None where there is nothing to say.
    """

    name: str
    title: str
    gather: Callable[[View], object | None]


STUDY_SECTIONS: tuple[Section[StudyView], ...] = (
    Section("data", "Data", data.gather),
    Section("protocol", "Protocol", protocol.gather),
    Section("training", "Training", training.gather),
    Section("ladder", "Ladder", ladder.gather),
    Section("tuning", "Tuning", tuning.gather),
    Section("ensemble", "Ensemble", ensemble.gather),
    Section("evaluation", "Evaluation", evaluation.gather),
    Section("errors", "Errors", errors.gather),
    Section("model", "Model", model.gather),
    Section("reproduce", "Reproduce", reproduce.gather),
)
RUN_SECTIONS: tuple[Section[LoneRunView], ...] = (
    Section("training", "Training", training.gather_lone_run),
    Section("ensemble", "Ensemble", ensemble.gather_lone_run),
    Section("model", "Model", model.gather_lone_run),
    Section("reproduce", "Reproduce", reproduce.gather_lone_run),
)
EXPLORATION_SECTIONS: tuple[Section[ExplorationView], ...] = (
    Section("data", "Data", looked_at.gather),
    Section("alike", "Duplicates", alike.gather),
    Section("extremes", "Outliers", extremes.gather),
    Section("sizes", "Sizes", sizes.gather),
    Section("image_map", "Map", image_map.gather),
)
