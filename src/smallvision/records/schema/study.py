"""The records of a study folder."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict

from smallvision.records.schema.base import Count, Fraction, Interval, Record, Shape
from smallvision.records.schema.measures import Verdict
from smallvision.records.schema.run import ValidatedRun


class Limits(Record):
    """What a rung must keep to win; null sets no limit."""

    model_config = ConfigDict(allow_inf_nan=True)  # a plan refuses them in one line

    gap: float | None = 0.10
    """Training minus validation accuracy, a fraction."""
    parameters: int | None = None
    """Parameter count."""
    latency_seconds: float | None = None
    """Time to classify one image."""

    def allow(self, status: ValidatedRun) -> bool:
        """Whether a finished run is within every limit."""
        return all(limit is None or getattr(status, name) <= limit for name, limit in self)


class Goal(Record):
    """What a study looks for."""

    maximise: Literal["val_accuracy"] = "val_accuracy"
    """The metric."""
    limits: Limits
    """What the winner must keep besides."""


class DataDescription(Record):
    """The data set of a study."""

    name: str
    """What the user asked for, or the folder's name."""
    source: str
    """Where the images came from."""
    shape: Shape
    """Channels, height and width of an image."""
    class_names: tuple[str, ...]
    """In label order."""
    train_n: Count
    """Training images, before any split."""
    test_n: Count
    """Sealed test images."""
    train_fingerprint: str
    """Fingerprint of the training images."""
    test_fingerprint: str
    """Fingerprint of the test images."""
    mirror_safe: bool
    """Whether a mirrored image keeps its class."""
    notes: tuple[str, ...]
    """What the loader did that a person should know, one sentence each."""


class RungRecord(Record):
    """A rung of the ladder in `study.json`."""

    slot: str
    """Its place in the ladder, a name that never changes."""
    name: str
    """What came of it, and the name of its run folder."""
    question: str
    """What training it finds out."""
    weakness: str
    """The weakness of an earlier rung that it answers."""
    builds_on: str | None = None
    """The rung whose recipe it changes."""
    note: str | None = None
    """Why it builds on another rung than the one before it, or has another length."""
    status: Literal["pending", "running", "done", "failed", "skipped"]
    """`skipped` is a rung that `--rungs` leaves out."""
    error: str | None = None
    """Why it failed, in one line."""

    @property
    def is_done(self) -> bool:
        """Whether it is finished."""
        return self.status == "done"


class StudyRecord(Record):
    """`study.json`: what was asked for, the rungs and their state, and the winner."""

    name: str
    """Name of the study folder."""
    created: str
    """When it began."""
    finished: str | None = None
    """When it was finished; null until then."""
    command: str
    """The command that began it."""
    preset: str
    """Scale of the ladder."""
    seed: int
    """The one seed of split, weights, order and augmentation."""
    settings: tuple[str, ...]
    """`key=value` overrides of every rung."""
    seeds: Count
    """Runs of each repeated rung."""
    repeat: tuple[str, ...]
    """Slots that are trained with all seeds; empty for every rung but the ensemble."""
    refit: bool
    """Whether the winner is trained once more on training and validation images."""
    goal: Goal
    """The metric and the limits."""
    data: DataDescription
    """The data set."""
    rungs: tuple[RungRecord, ...]
    """In the ladder's order."""
    best: str | None = None
    """Name of the winner, on disk before the test set is opened; null until it is known."""
    best_reason: str | None = None
    """Why it was chosen."""


class LadderVerdicts(Record):
    """`verdicts.json`: each rung compared with others."""

    steps: tuple[Verdict, ...]
    """Each rung against the one it builds on."""
    against_best: tuple[Verdict, ...]
    """Each other rung against the winner."""


class RungSummary(Record):
    """A rung in the last line of `smallvision study --json`."""

    slot: str
    """Its place in the ladder."""
    name: str
    """What came of it."""
    status: str
    """Its state."""
    error: str | None = None
    """Why it failed."""
    val_accuracy: Fraction | None = None
    """Validation accuracy."""
    val_interval: Interval | None = None
    """Wilson's 95 % interval."""
    train_accuracy: Fraction | None = None
    """Accuracy on clean training images."""
    parameters: Count | None = None
    """Parameter count."""
    seconds: float | None = None
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


class StudySummary(Record):
    """The last line of `smallvision study --json`, and what `sv.run_study` returns."""

    study: str
    """The study folder."""
    rungs: tuple[RungSummary, ...]
    """In the ladder's order."""
    best: str | None
    """Name of the winner."""
    test: TestSummary | None
    """Its test result."""
    report: str
    """Path of the report."""
