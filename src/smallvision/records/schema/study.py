"""The records of a study folder."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import ConfigDict, model_validator

from smallvision.display import Displayed
from smallvision.records.schema.base import (
    MOST,
    ClassNames,
    Count,
    FolderName,
    Fraction,
    Hash,
    Interval,
    LeftOutRecords,
    Name,
    Number,
    PathText,
    Record,
    Seconds,
    Seed,
    Shape,
    Text,
    Texts,
    Time,
    at_most,
)
from smallvision.records.schema.measures import GoalName, Verdict
from smallvision.records.schema.run import DataOrigin, ValidatedRun

MOST_RUNGS = 1000

RungState: TypeAlias = Literal["pending", "running", "done", "failed", "skipped"]


class Limits(Record):
    """What a rung must keep to win; null sets no limit.

    >>> import smallvision as sv
    >>> sv.Limits(gap=0.05, latency_seconds=0.002)
    Limits(gap=0.05, parameters=None, latency_seconds=0.002)
    """

    model_config = ConfigDict(allow_inf_nan=True)  # a plan refuses them in one line

    gap: float | None = 0.10
    """Training minus validation accuracy, a fraction."""
    parameters: int | None = None
    """Parameter count."""
    latency_seconds: float | None = None
    """Time to classify one image."""

    def find_fault(self) -> str | None:
        """What is wrong with the limits, or None."""
        for name, limit in self:
            if limit is not None and not 0 <= limit <= MOST:  # which no NaN is
                return f"the limit on {name} is {limit}; expected a number from 0 to {MOST:.0e}"
        return None

    def allow(self, status: ValidatedRun) -> bool:
        """Whether a finished run is within every limit."""
        return all(limit is None or getattr(status, name) <= limit for name, limit in self)


class Goal(Record):
    """What a study looks for."""

    maximise: GoalName = "val_accuracy"
    """The metric."""
    limits: Limits
    """What the winner must keep besides."""

    @model_validator(mode="after")
    def check_limits(self) -> Self:
        """Each limit is a number from 0 up."""
        if fault := self.limits.find_fault():
            raise ValueError(fault)
        return self


class DataDescription(Record):
    """The data set of a study."""

    name: Text
    """What the user asked for, or the folder's name."""
    origin: DataOrigin | None = None
    """Where it was read from, which `--resume` takes when no data set is named; null for arrays."""
    source: Text
    """Where the images came from."""
    shape: Shape
    """Channels, height and width of an image."""
    class_names: ClassNames
    """In label order."""
    train_n: Count
    """Training images, before any split."""
    test_n: Count
    """Sealed test images."""
    train_fingerprint: Hash
    """Fingerprint of the training images."""
    test_fingerprint: Hash
    """Fingerprint of the test images."""
    mirror_safe: bool
    """Whether a mirrored image keeps its class."""
    notes: Texts
    """What the loader did that a person should know, one sentence each."""
    left_out: LeftOutRecords = ()
    """What lies in the source and in none of its parts, by reason."""


class NetworkLength(Record):
    """The size and the length of training of a family of networks in a plan."""

    family: Name
    """`linear`, `mlp`, `vgg`, `wrn` or `speednet`."""
    size: Text
    """Which network of the family."""
    passes: Number
    """Passes over the training split."""


class NetworkSpeed(Record):
    """How fast a network was when a plan was made."""

    size: Text
    """Which network."""
    train_seconds: Seconds
    """Seconds of training per image."""
    infer_seconds: Seconds
    """Seconds of classifying per image."""


class PlannedRung(Record):
    """A rung in the plan of a study."""

    slot: FolderName
    """Its place in the ladder."""
    size: Text
    """Its network; empty where it takes that of the rung it builds on."""
    passes: Count
    """Passes over the training split; of an ensemble, those after the rung it builds on."""
    seconds: Seconds
    """Time that it is expected to take."""
    note: Text | None = None
    """What it is expected to be too short for, or why it is left out."""


class BudgetPlan(Record):
    """How the time of a study is divided."""

    seconds: Seconds | None
    """The budget; null for no limit."""
    measured: Annotated[tuple[NetworkSpeed, ...], at_most(100)]
    """Speeds that the plan was made with; empty where nothing was measured."""
    lengths: Annotated[tuple[NetworkLength, ...], at_most(100)]
    """Of each family of networks."""
    trials: Number
    """Trials of the search for settings."""
    snapshots: Number
    """Cycles of the run whose snapshots form the ensemble."""
    kept_seconds: Seconds
    """Time kept for a refit, the test, the analysis of errors and the report."""
    rungs: Annotated[tuple[PlannedRung, ...], at_most(MOST_RUNGS)]
    """That are trained, in the ladder's order."""
    left_out: Annotated[tuple[PlannedRung, ...], at_most(MOST_RUNGS)]
    """That the budget has no time for."""


class RungRecord(Record):
    """A rung of the ladder in `study.json`."""

    slot: FolderName
    """Its place in the ladder, a name that never changes."""
    name: FolderName
    """What came of it, and the name of its run folder."""
    question: Text
    """What training it finds out."""
    weakness: Text
    """The weakness of an earlier rung that it answers."""
    builds_on: FolderName | None = None
    """The rung whose recipe it changes."""
    note: Text | None = None
    """Why it builds on another rung than the one before it, or has another length, why the budget
    leaves it out, or what the model that it begins with has seen."""
    status: RungState
    """`skipped` is a rung that `--rungs` leaves out, or the budget."""
    error: Text | None = None
    """Why it failed, in one line."""

    @property
    def is_done(self) -> bool:
        """Whether it is finished."""
        return self.status == "done"


class StudyRecord(Record):
    """`study.json`: what was asked for, the rungs and their state, and the winner."""

    name: Text
    """Name of the study folder."""
    created: Time
    """When it began."""
    finished: Time | None = None
    """When it was finished; null until then."""
    command: Text
    """The command that began it."""
    preset: Name
    """Name of the time budget."""
    budget: BudgetPlan | None = None
    """The time that the study may take and its division; null where the user set the epochs."""
    spent_seconds: Seconds = 0.0
    """Time that it took so far, over all sessions."""
    seed: Seed
    """The one seed of split, weights, order and augmentation."""
    settings: Texts
    """`key=value` overrides of every rung."""
    seeds: Number
    """Runs of each repeated rung."""
    repeat: Annotated[tuple[FolderName, ...], at_most(MOST_RUNGS)]
    """Slots that are trained with all seeds; empty for every rung but the ensemble."""
    refit: bool
    """Whether the winner is trained once more on training and validation images."""
    folds: Number = 1
    """Folds in which each rung is cross-validated; 1 is a single split."""
    prefer: Literal["cheapest", "best"] = "best"
    """Whether the winner is the cheapest of the rungs that cannot be told apart from the best."""
    start: Hash | None = None
    """Fingerprint of the model whose weights the rung `transfer` begins with; null without one."""
    goal: Goal
    """The metric and the limits."""
    data: DataDescription
    """The data set."""
    rungs: Annotated[tuple[RungRecord, ...], at_most(MOST_RUNGS)]
    """In the ladder's order."""
    best: FolderName | None = None
    """Name of the winner, on disk before the test set is opened; null until it is known."""
    most_accurate: FolderName | None = None
    """The rung of highest accuracy, where the winner is a cheaper one that cannot be told apart."""
    best_reason: Text | None = None
    """Why it was chosen."""


class WinnerChoice(Record):
    """What choosing did to the validation accuracy of the winner."""

    epochs: Count
    """Epochs among which its weights were chosen; 0 for an ensemble."""
    rungs: Number
    """Rungs among which it was chosen."""
    from_epochs: Fraction
    """About how much the choice of the best epoch raised its accuracy, by simulation."""
    from_rungs: Fraction
    """The same of the choice of the best rung, by a bootstrap over the validation images."""
    sentence: Text
    """The same in words."""


class LadderVerdicts(Record):
    """`verdicts.json`: each rung compared with others, and what choosing did to the winner."""

    steps: Annotated[tuple[Verdict, ...], at_most(MOST_RUNGS)]
    """Each rung against the one it builds on."""
    against_best: Annotated[tuple[Verdict, ...], at_most(MOST_RUNGS)]
    """Each other rung against the winner."""
    winner_choice: WinnerChoice | None = None
    """What choosing did to the winner; null in records of before it was measured."""


class RungSummary(Record):
    """A rung in the last line of `smallvision study --json`."""

    slot: FolderName
    """Its place in the ladder."""
    name: FolderName
    """What came of it."""
    status: RungState
    """Its state."""
    error: Text | None = None
    """Why it failed."""
    val_accuracy: Fraction | None = None
    """Validation accuracy."""
    val_interval: Interval | None = None
    """Its 95 % interval."""
    val_balanced_accuracy: Fraction | None = None
    """Balanced accuracy on the same images."""
    val_macro_f1: Fraction | None = None
    """Macro F1 on the same images."""
    val_n: Count | None = None
    """Validation images; with folds, those of all folds."""
    train_accuracy: Fraction | None = None
    """Accuracy on clean training images."""
    parameters: Number | None = None
    """Parameter count."""
    seconds: Seconds | None = None
    """Training time."""


class TestSummary(Record):
    """The test result in the last line of a command with `--json`."""

    __test__ = False  # pytest collects classes that begin with Test

    accuracy: Fraction
    """Share of the test images classified correctly."""
    interval: Interval
    """Wilson's 95 % interval."""
    n: Count
    """Test images."""
    openings: Count
    """Openings of the test set so far, by this study or run."""


class StudySummary(Displayed, Record):
    """The last line of `smallvision study --json`, and what `sv.run_study` returns."""

    study: PathText
    """The study folder."""
    rungs: Annotated[tuple[RungSummary, ...], at_most(MOST_RUNGS)]
    """In the ladder's order."""
    best: FolderName | None
    """Name of the winner."""
    test: TestSummary | None
    """Its test result."""
    report: PathText
    """Path of the report."""
