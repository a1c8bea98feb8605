"""What a study is asked to do: scale, settings, limits, rungs, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from smallvision.errors import SettingError
from smallvision.recipes import Recipe, follow_seed, override
from smallvision.recipes.overrides import split_assignment
from smallvision.records.schema import Limits
from smallvision.records.schema.run import MOST_FOLDS


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
        folds: in how many folds each rung is cross-validated; 1 for a single split. None leaves
            that to `study.folds.settle_folds`.
        refit: train the winner once more on training and validation images before the test; None
            for just where there are folds.
        dry_run: the same lines at tiny size: few images, one or two epochs.
        command: for the records.

    Raises:
        SettingError: a limit below 0 or infinite, no seed or fold at all, folds beside seeds, rungs
            to repeat with one seed, a setting that is no `key=value`, or a seed so high that a run
            would need one beyond the largest.
    """

    preset: str = "quick"
    settings: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    rungs: tuple[str, ...] = ()
    seeds: int = 1
    repeat: tuple[str, ...] = ()
    folds: int | None = None
    refit: bool | None = None
    dry_run: bool = False
    command: str = "smallvision.run_study()"

    def __post_init__(self) -> None:
        if fault := self.limits.find_fault():
            raise SettingError(fault)
        if self.seeds < 1:
            raise SettingError(f"seeds is {self.seeds}; expected 1 or more")
        if self.folds is not None and not 1 <= self.folds <= MOST_FOLDS:
            raise SettingError(f"folds is {self.folds}; expected 1 to {MOST_FOLDS}")
        if self.seeds > 1 and (self.folds or 1) > 1:
            raise SettingError("--seeds and --folds both repeat the rungs; give one of the two")
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
