"""What one look at a folder shows: the state, the steps of the work, and the time that is left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from smallvision.records.schema import EpochMetrics, Rate, TestRecord, TuningRecord
from smallvision.reporting.view import RunView

WorkState: TypeAlias = Literal["waiting", "running", "interrupted", "failed", "finished"]
StepState: TypeAlias = Literal[
    "planned", "running", "interrupted", "trained", "done", "failed", "left out"
]
WorkKind: TypeAlias = Literal["study", "run", "search", "ensemble", "work"]


@dataclass(frozen=True)
class Training:
    """One training: of a rung itself, on a fold, with a seed, or in a trial of a search.

    Attributes:
        label: what of its step it is, such as `fold 2`; empty for the run itself.
        run: its records.
        is_active: whether a process is training it.
        written: when its last epoch was written, in seconds since 1970; 0 before the first.
    """

    label: str
    run: RunView
    is_active: bool = False
    written: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether it came to its end."""
        return self.run.finished is not None

    @property
    def epochs(self) -> int:
        """Epochs that are finished."""
        return self.run.epochs[-1].epoch if self.run.epochs else 0

    @property
    def planned(self) -> int | None:
        """Epochs that are planned; None before that is written."""
        return self.run.schedule.epochs if self.run.schedule else None

    @property
    def seconds(self) -> float:
        """Time that its finished epochs took."""
        if self.run.finished is not None:
            return self.run.finished.seconds
        return self.run.epochs[-1].seconds if self.run.epochs else 0.0

    @property
    def best(self) -> EpochMetrics | None:
        """The epoch of the best weights so far, if there were images to validate on."""
        return next(
            (one for one in reversed(self.run.epochs) if one.best and one.judged is not None), None
        )


@dataclass(frozen=True)
class Step:
    """A part of the work: a rung of a study, a search, or a run with what belongs to it.

    Attributes:
        name: of the rung or run.
        state: how far it is.
        question: what it finds out; empty outside a study.
        note: why it is left out or failed, or what else is known of it.
        trainings: that were begun, the run itself first.
        runs_expected: trainings that it has in all, as far as that is known.
        search: its search for settings, if it has one.
        planned_seconds: time that the plan gives it; None without a plan.
        left_seconds: time until it is done; None where that cannot be estimated.
    """

    name: str
    state: StepState
    question: str = ""
    note: str = ""
    trainings: tuple[Training, ...] = ()
    runs_expected: int = 1
    search: TuningRecord | None = None
    planned_seconds: float | None = None
    left_seconds: float | None = None

    @property
    def val(self) -> Rate | None:
        """The validation figures of a step that is done."""
        first = next((one for one in self.trainings if not one.label), None)
        return first.run.val if first is not None and self.state in ("done", "trained") else None

    @property
    def seconds(self) -> float:
        """Time that its trainings took so far, one after the other."""
        of_search = sum(trial.seconds for trial in self.search.trials) if self.search else 0.0
        return of_search + sum(one.seconds for one in self.trainings)

    @property
    def active(self) -> tuple[Training, ...]:
        """The trainings that are under way."""
        return tuple(one for one in self.trainings if one.is_active)


@dataclass(frozen=True)
class Snapshot:
    """What is known of some work at one moment.

    Attributes:
        folder: that is watched.
        kind: of the work; `work` before its first record.
        name: of the study or run.
        state: of the whole.
        steps: in order; those that are left out are among them.
        data: the data set, in words.
        phase: what a study does between and after its rungs; empty while a rung is trained.
        host: another machine that the work runs on, which cannot be asked whether it still does.
        command: that began it; empty where it is not known.
        budget_seconds: time that all of it may take; None for no limit, or an unknown one.
        spent_seconds: time so far.
        left_seconds: time until the end; None where that cannot be estimated.
        best: the name of the winner.
        test: its test result.
        faults: records that cannot be read, a sentence each.
        written: when the newest record was written, in seconds since 1970; 0 without any.
        taken: when the look was taken, in seconds since 1970.
    """

    folder: Path
    kind: WorkKind
    name: str
    state: WorkState
    steps: tuple[Step, ...] = ()
    data: str = ""
    phase: str = ""
    host: str = ""
    command: str = ""
    budget_seconds: float | None = None
    spent_seconds: float | None = None
    left_seconds: float | None = None
    best: str | None = None
    test: TestRecord | None = None
    faults: tuple[str, ...] = ()
    written: float = 0.0
    taken: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come, unless somebody takes the work up again."""
        return self.state in ("finished", "failed")

    @property
    def taken_on(self) -> tuple[Step, ...]:
        """The steps that are not left out."""
        return tuple(step for step in self.steps if step.state != "left out")

    @property
    def left_out(self) -> tuple[Step, ...]:
        """The steps that are left out."""
        return tuple(step for step in self.steps if step.state == "left out")

    @property
    def done(self) -> int:
        """Steps that are done or failed, so that the work has passed them."""
        return sum(step.state in ("done", "failed") for step in self.taken_on)

    @property
    def now(self) -> tuple[Step, ...]:
        """The steps that are under way, or were when the work was interrupted."""
        return tuple(step for step in self.steps if step.state in ("running", "interrupted"))
