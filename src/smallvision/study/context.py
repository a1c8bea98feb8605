"""What the work on every rung of a study needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.split import Split
from smallvision.predict import SavedModel
from smallvision.records.layout import run_folder
from smallvision.records.schema import BudgetPlan
from smallvision.runs.job import Job
from smallvision.study.budget import Clock
from smallvision.study.ladder import Ladder
from smallvision.study.plan import StudyPlan


@dataclass(frozen=True, eq=False)
class StudyContext:
    """What the work on every rung needs.

    Attributes:
        job: the images, the study's folder and its observer.
        plan: what was asked for.
        ladder: what that means for this data.
        folds: the splits of all folds, the job's own first; empty for a single split.
        budget: how the time is divided; None where the user set the epochs.
        start: the model that the rung `transfer` begins with, if there is that rung.
    """

    job: Job
    plan: StudyPlan
    ladder: Ladder
    folds: tuple[Split, ...] = ()
    budget: BudgetPlan | None = None
    start: SavedModel | None = None

    @property
    def trainings(self) -> int:
        """How often each rung is trained."""
        return max(1, len(self.folds)) * self.plan.seeds

    def allow(self, slot: str, clock: Clock) -> float:
        """Seconds that a rung may take, so that those planned after it still have theirs."""
        if self.budget is None or self.budget.seconds is None:
            return math.inf
        slots = [rung.slot for rung in self.budget.rungs]
        later = self.budget.rungs[slots.index(slot) + 1 :] if slot in slots else ()
        kept = self.budget.kept_seconds + sum(one.seconds for one in later)
        return self.budget.seconds - clock.spent() - kept

    def folder_of(self, name: str) -> Path:
        """The run folder of a rung."""
        return run_folder(self.job.folder, name)

    def job_of(self, name: str) -> Job:
        """The job of a rung's run."""
        return self.job.at(self.folder_of(name))
