"""What a study is asked to do: scale, settings, limits, rungs, repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, follow_seed, override
from smallvision.recipes.overrides import split_assignment


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
        rungs: which to climb, by slot; empty for all.
        seeds: how often each rung but the ensemble is trained, with seeds that follow each other,
            on the same split.
        repeat: which rungs that is done for, by slot; empty for all.
        refit: train the winner once more on training and validation images before the test.
        dry_run: the same lines at tiny size: few images, one or two epochs.
        command: for the records.

    Raises:
        SettingError: no seed at all, rungs to repeat with one seed, a setting that is no
            `key=value`, or a seed so high that a run would need one beyond the largest.
    """

    preset: str = "quick"
    settings: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    rungs: tuple[str, ...] = ()
    seeds: int = 1
    repeat: tuple[str, ...] = ()
    refit: bool = False
    dry_run: bool = False
    command: str = "smallvision.run_study()"

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise SettingError(f"seeds is {self.seeds}; expected 1 or more")
        if self.repeat and self.seeds == 1:
            raise SettingError("--repeat names the rungs that --seeds repeats; give --seeds too")
        # A tuned rung begins one seed later than the others, with one that its search has not seen.
        follow_seed(Recipe(seed=self.seed), self.seeds)

    @property
    def seed(self) -> int:
        """The one seed of split, weights, order and augmentation."""
        return choose_seed(self.settings)


def choose_seed(settings: Sequence[str]) -> int:
    """The seed that `key=value` overrides choose, or the default.

    Raises:
        SettingError: a setting that is no `key=value`, or a seed out of range.
    """
    chosen = [text for text in settings if split_assignment(text)[0] == "seed"]
    return override(Recipe(), chosen).seed
