"""What the work on every rung of a study needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from smallvision.records.layout import run_folder
from smallvision.records.schema import BudgetPlan
from smallvision.runs.job import Job
from smallvision.study.budget import AFTER, Clock
from smallvision.study.ladder import Ladder
from smallvision.study.plan import StudyPlan


@dataclass(frozen=True, eq=False)
class StudyContext:
    """What the work on every rung needs.

    Attributes:
        job: the images, the study's folder and its observer.
        plan: what was asked for.
        ladder: what that means for this data.
        budget: how the time is divided; None where the user set the epochs.
    """

    job: Job
    plan: StudyPlan
    ladder: Ladder
    budget: BudgetPlan | None = None

    def allow(self, slot: str, clock: Clock) -> float:
        """Seconds that a rung may take, so that those planned after it still have theirs."""
        if self.budget is None or self.budget.seconds is None:
            return math.inf
        slots = [rung.slot for rung in self.budget.rungs]
        later = self.budget.rungs[slots.index(slot) + 1 :] if slot in slots else ()
        return self.budget.seconds - clock.spent() - AFTER - sum(one.seconds for one in later)

    def folder_of(self, name: str) -> Path:
        """The run folder of a rung."""
        return run_folder(self.job.folder, name)

    def job_of(self, name: str) -> Job:
        """The job of a rung's run."""
        return self.job.at(self.folder_of(name))
