"""What a page draws: the records of a folder, put together by run and by rung.

Nothing is judged here: verdicts, intervals and counts are those of the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from smallvision.format import format_count
from smallvision.records.schema import (
    CloserLook,
    EnsembleRecord,
    Environment,
    EpochMetrics,
    ErrorAnalysisRecord,
    ExplorationRecord,
    FinishedRun,
    FoldSummary,
    GoalName,
    LearningRateSchedule,
    LedgerEntry,
    ModelRecord,
    NetworkRecord,
    Rate,
    Record,
    RungRecord,
    RunStatus,
    SeedSummary,
    SplitRecord,
    StudyRecord,
    TestRecord,
    TuningRecord,
    ValidatedRun,
    Verdict,
    WinnerChoice,
)
from smallvision.records.schema.measures import METRIC_OF_GOAL
from smallvision.text import show_name

PicturedRecord = TypeVar("PicturedRecord", bound=Record)


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Pictured(Generic[PicturedRecord]):
    """A record with the pictures that it names, by file name; a lost picture is None."""

    record: PicturedRecord
    pictures: Mapping[str, Picture | None]


@dataclass(frozen=True)
class RunView:
    """A run folder: its status, and what its training left behind."""

    name: str
    status: RunStatus | None = None
    epochs: tuple[EpochMetrics, ...] = ()
    schedule: LearningRateSchedule | None = None
    recipe: str | None = None
    recipe_diff: str | None = None
    model: ModelRecord | None = None
    network: NetworkRecord | None = None
    seeds: SeedSummary | None = None
    folds: FoldSummary | None = None

    @property
    def finished(self) -> FinishedRun | None:
        """The status of a run that came to its end."""
        return self.status if isinstance(self.status, FinishedRun) else None

    @property
    def validated(self) -> ValidatedRun | None:
        """The status of a run with validation figures of its own; those of a refit are not.

        Those of a cross-validated run are the figures of all its folds.
        """
        status = self.status
        if not isinstance(status, ValidatedRun) or status.kind == "refit":
            return None
        return self.folds.judge(status) if self.folds else status

    @property
    def val(self) -> Rate | None:
        """The validation accuracy."""
        return self.validated.val if self.validated else None

    @property
    def mean_accuracy(self) -> float | None:
        """The validation accuracy; the mean over seeds where there are several."""
        return self.judge("val_accuracy")

    def judge(self, goal: GoalName) -> float | None:
        """The validation figure that a study maximises; of accuracy the mean over seeds."""
        if self.val is None:
            return None
        if goal == "val_accuracy" and self.seeds:
            return self.seeds.mean
        return self.val.score(METRIC_OF_GOAL[goal])

    @property
    def kept_epoch(self) -> EpochMetrics | None:
        """The epoch whose weights were kept."""
        kept = self.finished.best_epoch if self.finished else None
        return next((epoch for epoch in self.epochs if epoch.epoch == kept), None)


@dataclass(frozen=True)
class RungView:
    """A rung with its run folder and the verdicts on it.

    `snapshots` is the training run whose checkpoints an ensemble consists of.
    """

    record: RungRecord
    run: RunView
    step: Verdict | None = None
    against_best: Verdict | None = None
    tuning: TuningRecord | None = None
    ensemble: EnsembleRecord | None = None
    snapshots: RunView | None = None

    @property
    def name(self) -> str:
        """The rung's name."""
        return self.record.name

    @property
    def is_repeat(self) -> bool:
        """Whether its search found nothing better than trial 0, which has the recipe's settings."""
        best = self.tuning.best if self.tuning else None
        return best is not None and best.number == 0

    @property
    def is_adopted(self) -> bool:
        """Whether it is the very run that it builds on, and not another one with a new seed."""
        return self.is_repeat and self.run.finished is not None and self.run.finished.seconds == 0


@dataclass(frozen=True)
class StudyView:
    """A study folder; `missing` says in plain words what it lacks."""

    record: StudyRecord
    rungs: tuple[RungView, ...]
    split: SplitRecord | None = None
    test: TestRecord | None = None
    choice: WinnerChoice | None = None
    openings: tuple[LedgerEntry, ...] = ()
    environment: Environment | None = None
    exploration: Pictured[ExplorationRecord] | None = None
    errors: Pictured[ErrorAnalysisRecord] | None = None
    missing: tuple[str, ...] = ()

    def find_rung(self, name: str | None) -> RungView | None:
        """Find the rung of a name, or None."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    @property
    def winner(self) -> RungView | None:
        """The rung that the study chose."""
        return self.find_rung(self.record.best)

    @property
    def climbed(self) -> tuple[RungView, ...]:
        """The rungs that this study was to train: all that `--rungs` does not leave out."""
        return tuple(rung for rung in self.rungs if rung.record.status != "skipped")

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the rungs that `--rungs` leaves out."""
        skipped = (rung for rung in self.rungs if rung.record.status == "skipped")
        return tuple(rung.name for rung in skipped if not rung.record.note)

    @property
    def cut(self) -> tuple[RungRecord, ...]:
        """The rungs that the budget leaves out; the note of each says why."""
        records = (rung.record for rung in self.rungs)
        return tuple(one for one in records if one.status == "skipped" and one.note)

    @property
    def opened(self) -> int:
        """How often the test set was opened: the larger of the ledger's and the result's count."""
        return max(len(self.openings), self.test.openings if self.test else 0)


@dataclass(frozen=True)
class LoneRunView:
    """A run outside a study: the run, then those inside it, and the name of its folder."""

    runs: tuple[RunView, ...]
    split: SplitRecord | None = None
    test: TestRecord | None = None
    environment: Environment | None = None
    ensemble: EnsembleRecord | None = None
    folder: str = ""

    @property
    def run(self) -> RunView:
        """The run itself."""
        return self.runs[0]


@dataclass(frozen=True)
class ExplorationView:
    """A look at a data set outside a study: its record with what was looked at closer."""

    found: Pictured[ExplorationRecord]
    closer: CloserLook


def call_image(number: int, source_file: str | None) -> str:
    """What people call an image: by its file, or where it has none by its number."""
    return show_name(source_file) if source_file else f"image {format_count(number)}"
