"""What the work on every rung of a study needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.dataset import DataSet
from smallvision.data.split import Split
from smallvision.predict import SavedModel
from smallvision.records.layout import run_folder
from smallvision.records.schema import BudgetPlan
from smallvision.runs.job import Job
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
        load: loads the data set again, in another process; None where there are no workers.
    """

    job: Job
    plan: StudyPlan
    ladder: Ladder
    folds: tuple[Split, ...] = ()
    budget: BudgetPlan | None = None
    start: SavedModel | None = None
    load: Callable[[], DataSet] | None = None

    @property
    def rounds(self) -> int:
        """How often each rung is trained, one time after the other."""
        return self.plan.workers.count_rounds(max(1, len(self.folds)) * self.plan.seeds)

    def folder_of(self, name: str) -> Path:
        """The run folder of a rung."""
        return run_folder(self.job.folder, name)

    def job_of(self, name: str) -> Job:
        """The job of a rung's run."""
        return self.job.at(self.folder_of(name))
