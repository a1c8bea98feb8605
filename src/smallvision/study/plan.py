"""What a study is asked to do: scale, settings, limits, and the ladder cut to a data set."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, Rung, Task, build_ladder, find_preset, override
from smallvision.recipes.build import check_fit
from smallvision.recipes.text import list_keys, split_assignment, suggest_key

DRY_EPOCHS = 2


@dataclass(frozen=True)
class Limits:
    """What a rung must satisfy to win; None sets no limit.

    Attributes:
        gap: train minus validation accuracy, a fraction.
        parameters: trained numbers.
        latency_seconds: to classify one image.
    """

    gap: float | None = 0.10
    parameters: int | None = None
    latency_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, limit in asdict(self).items():
            if limit is not None and not (math.isfinite(limit) and limit >= 0):
                raise SettingError(f"the limit on {name} is {limit}; expected a number from 0 up")

    def allow(self, status: dict[str, Any]) -> bool:
        """Whether a finished run is within every limit."""
        return all(
            limit is None or status[name] <= limit
            for name, limit in (
                ("gap", self.gap),
                ("parameters", self.parameters),
                ("latency_seconds", self.latency_seconds),
            )
        )

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class StudyPlan:
    """What a study is asked to do.

    Attributes:
        preset: scale, a name of `recipes.PRESETS`.
        settings: `key=value` overrides for every rung; `seed` governs the split as well.
        limits: what the winner must satisfy.
        dry_run: the same lines at tiny size: few images, one or two epochs.
        command: for the records.
    """

    preset: str = "quick"
    settings: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    dry_run: bool = False
    command: str = "smallvision.run_study()"

    @property
    def seed(self) -> int:
        """The one seed of split, weights, order and augmentation.

        Raises:
            SettingError: a setting that is no `key=value`, or a seed out of range.
        """
        chosen = [text for text in self.settings if split_assignment(text)[0] == "seed"]
        return override(Recipe(), chosen).seed


# Any task will do to find a misspelt setting before the images are loaded.
ANY_TASK = Task((3, 96, 96), 1_000, mirror_safe=True)


def cut_ladder(plan: StudyPlan, task: Task = ANY_TASK) -> list[Rung]:
    """The preset's rungs for a task, with the overrides in place.

    A setting that only some models have (`model.depth`) applies to the rungs that have it.

    Raises:
        SettingError: an unknown preset or key, a value out of range, a device that is not here.
    """
    rungs = build_ladder(find_preset(plan.preset), task, seed=plan.seed)
    settings = list(plan.settings)
    if plan.dry_run:
        settings = [f"epochs={DRY_EPOCHS}", "batch_size=32", *settings]
    keys = {text: split_assignment(text)[0] for text in settings}
    if "name" in keys.values():
        raise SettingError("rungs keep their names in a study; leave out name=")
    common = [text for text, key in keys.items() if not key.startswith("model.")]
    special = [text for text, key in keys.items() if key.startswith("model.")]
    known = {rung.name: list_keys(rung.recipe.plain()) for rung in rungs}
    everywhere = sorted({key for found in known.values() for key in found})
    for text in special:
        if keys[text] not in everywhere:
            raise SettingError(
                f"unknown setting '{keys[text]}'{suggest_key(keys[text], everywhere)}"
            )
    cut = []
    for rung in rungs:
        own = [text for text in special if keys[text] in known[rung.name]]
        cut.append(replace(rung, recipe=override(rung.recipe, [*common, *own])))
        check_fit(cut[-1].recipe, task.shape)
    return cut
