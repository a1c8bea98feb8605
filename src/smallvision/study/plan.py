"""What a study is asked to do: scale, settings, limits, rungs, repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from smallvision.compute.worker_pool import WorkerPool
from smallvision.errors import SettingError
from smallvision.recipes import Recipe, find_preset, follow_seed, override
from smallvision.recipes.overrides import check_seeds, split_assignment
from smallvision.recipes.presets import check_budget
from smallvision.records.schema import Limits, MetricName
from smallvision.records.schema.run import MOST_FOLDS


@dataclass(frozen=True)
class StudyPlan:
    """What a study is asked to do.

    Attributes:
        preset: time budget, a name of `recipes.PRESETS`.
        budget_seconds: time budget, instead of the preset's.
        same_plan_as: folder of a study whose plan is repeated, epoch by epoch, on any machine.
        settings: `key=value` overrides for every rung; `seed` governs the split as well.
        metric: the validation figure that epochs, settings and the winner are chosen by:
            `accuracy`, `balanced_accuracy` or `macro_f1`; None for that of the settings.
        limits: what the winner must satisfy.
        rungs: which to climb, by slot; empty for all.
        seeds: how often each rung but the ensemble is trained, with seeds that follow each other,
            on the same split.
        repeat: which rungs that is done for, by slot; empty for all.
        folds: in how many folds each rung is cross-validated; 1 for a single split. None leaves
            that to `study.folds.settle_folds`.
        prefer: `cheapest`, for the rung that is cheapest to use among those that cannot be told
            apart from the most accurate, or `best` for the latter.
        refit: train the winner once more on training and validation images before the test; None
            for just where there are folds.
        workers: where independent trainings are done.
        start: a model whose weights a rung of its own, `transfer`, begins with: a run, a study, the
            folder of a saved model, or the name of an included one.
        dry_run: the same lines at tiny size: few images, one or two epochs.
        command: for the records.

    Raises:
        SettingError: a limit below 0 or infinite, a budget beside `epochs=`, no seed or fold at
            all, folds beside seeds, rungs to repeat with one seed, a setting that is no
            `key=value`, or a seed so high that a run would need one beyond the largest.

    >>> import smallvision as sv
    >>> plan = sv.StudyPlan(budget_seconds=1800, limits=sv.Limits(parameters=500_000))
    >>> plan.rungs, plan.prefer
    ((), 'cheapest')
    """

    preset: str = "quick"
    budget_seconds: float | None = None
    same_plan_as: Path | None = None
    settings: tuple[str, ...] = ()
    metric: MetricName | None = None
    limits: Limits = field(default_factory=Limits)
    rungs: tuple[str, ...] = ()
    seeds: int = 1
    repeat: tuple[str, ...] = ()
    folds: int | None = None
    refit: bool | None = None
    prefer: Literal["cheapest", "best"] = "cheapest"
    workers: WorkerPool = field(default_factory=WorkerPool)
    start: str | Path | None = None
    dry_run: bool = False
    command: str = "smallvision.run_study()"

    def __post_init__(self) -> None:
        if fault := self.limits.find_fault():
            raise SettingError(fault)
        check_budget(self.budget_seconds)
        if self.budget_seconds is not None and sets_epochs(self.settings):
            raise SettingError(
                "--budget says how long to train, and so does epochs=; give one of them"
            )
        if self.same_plan_as is not None and not self.is_timed:
            raise SettingError("--plan says how long to train, and so does epochs=; leave one out")
        check_seeds(self.seeds)
        if self.folds is not None and not 1 <= self.folds <= MOST_FOLDS:
            raise SettingError(f"folds is {self.folds}; expected 1 to {MOST_FOLDS}")
        if self.seeds > 1 and (self.folds or 1) > 1:
            raise SettingError("--seeds and --folds both repeat the rungs; give one of the two")
        if self.repeat and self.seeds == 1:
            raise SettingError("--repeat names the rungs that --seeds repeats; give --seeds too")
        if self.metric is not None:  # one of the settings of every rung, and in the records so
            others = (text for text in self.settings if split_assignment(text)[0] != "metric")
            object.__setattr__(self, "settings", add_metric(tuple(others), self.metric))
        # A tuned rung begins one seed later than the others, with one that its search has not seen.
        follow_seed(Recipe(seed=self.seed), self.seeds)
        override(Recipe(), pick_settings(self.settings, "metric"))  # raises if there is no such

    @property
    def seconds(self) -> float:
        """The time budget; infinite for no limit."""
        return self.budget_seconds or find_preset(self.preset).seconds

    @property
    def is_timed(self) -> bool:
        """Whether the length of the training follows from the budget, and not from the user."""
        return not self.dry_run and not sets_epochs(self.settings)

    @property
    def judged_by(self) -> MetricName:
        """The validation figure that everything is chosen by."""
        return override(Recipe(), pick_settings(self.settings, "metric")).metric

    @property
    def seed(self) -> int:
        """The one seed of split, weights, order and augmentation."""
        return choose_seed(self.settings)


def sets_epochs(settings: Sequence[str]) -> bool:
    """Whether `key=value` overrides say how long to train."""
    return any(split_assignment(text)[0] in ("epochs", "passes") for text in settings)


def choose_seed(settings: Sequence[str]) -> int:
    """The seed that `key=value` overrides choose, or the default.

    Raises:
        SettingError: a setting that is no `key=value`, or a seed out of range.
    """
    return override(Recipe(), pick_settings(settings, "seed")).seed


def pick_settings(settings: Sequence[str], key: str) -> list[str]:
    """The overrides of one key."""
    return [text for text in settings if split_assignment(text)[0] == key]


def add_metric(settings: Sequence[str], metric: str | None) -> tuple[str, ...]:
    """Overrides with that of the metric, where one was named apart."""
    return (*settings, *(() if metric is None else (f"metric={metric}",)))
