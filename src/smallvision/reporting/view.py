"""The page's data: frozen values that mirror the records of a study folder.

Nothing is judged here: verdicts, intervals and counts arrive as they were written. Field names
are those of the records, so that a validation error names what is wrong in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from smallvision.reporting.findings import Ensemble, Mistakes, Tuning
from smallvision.reporting.pictures import Exploration
from smallvision.reporting.scores import Calibration, Interval, Score, Seeds, Verdict

State: TypeAlias = Literal["pending", "running", "done", "failed", "skipped"]


@dataclass(frozen=True)
class Limits:
    """What a rung must not exceed; None where nobody set a limit."""

    gap: float | None = None
    parameters: int | None = None
    latency_seconds: float | None = None


@dataclass(frozen=True)
class Goal:
    """The metric to maximise and the limits to keep."""

    maximise: str
    limits: Limits


@dataclass(frozen=True)
class Data:
    """The data set as `study.json` describes it."""

    name: str
    source: str
    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    train_n: int
    test_n: int
    train_fingerprint: str
    test_fingerprint: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One rung as `study.json` lists it."""

    name: str
    question: str
    builds_on: str | None
    status: State
    error: str | None = None
    weakness: str | None = None
    slot: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Card:
    """`study.json`."""

    name: str
    created: str
    finished: str | None
    command: str
    preset: str | None
    seed: int
    goal: Goal
    data: Data
    rungs: tuple[Plan, ...]
    best: str | None
    best_reason: str | None
    refit: bool = False
    seeds: int = 1


@dataclass(frozen=True)
class Split:
    """`split.json`."""

    seed: int
    val_fraction: float
    subset: float | None
    train_n: int
    val_n: int
    counts: dict[str, tuple[int, ...]]
    train_hash: str
    val_hash: str
    data_fingerprint: str
    duplicates: int
    declared_val: bool = False


@dataclass(frozen=True)
class Opening:
    """One line of the seal's ledger."""

    opening: int
    time: str
    command: str
    study: str
    model: str
    n: int
    data_fingerprint: str


@dataclass(frozen=True)
class Epoch:
    """One line of `metrics.jsonl`; a number that was not finite is None."""

    epoch: int
    cycle: int | None = None
    loss: float | None = None
    train_loss: float | None = None
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    images_per_second: float | None = None


@dataclass(frozen=True)
class Schedule:
    """`schedule.json`: the learning rate over all planned steps."""

    kind: str
    steps_per_epoch: int
    epochs: int
    lr: float
    step: tuple[int, ...]
    value: tuple[float, ...]
    cycle_ends: tuple[int, ...]


@dataclass(frozen=True)
class Outcome:
    """`status.json` of a run; what a run did not reach is None."""

    epochs_planned: int | None = None
    epochs_done: int | None = None
    best_epoch: int | None = None
    stopped: str | None = None
    seconds: float | None = None
    search_seconds: float | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    latency_seconds: float | None = None
    images_per_second: float | None = None
    train: Score | None = None
    val: Score | None = None
    gap: float | None = None
    within_limits: bool | None = None
    calibration: Calibration | None = None
    machine: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rung:
    """A rung with all that its run folder and the verdicts say about it.

    `snapshots` is the training run whose checkpoints an ensemble is made of.
    """

    plan: Plan
    outcome: Outcome
    epochs: tuple[Epoch, ...]
    schedule: Schedule | None
    recipe: str | None
    recipe_diff: str | None
    step: Verdict | None
    against_best: Verdict | None
    seeds: Seeds | None = None
    tuning: Tuning | None = None
    ensemble: Ensemble | None = None
    snapshots: Rung | None = None

    @property
    def name(self) -> str:
        """The rung's name."""
        return self.plan.name

    @property
    def is_repeat(self) -> bool:
        """Whether its search found nothing better than trial 0, the recipe's own settings."""
        best = self.tuning.best if self.tuning else None
        return best is not None and best.number == 0

    @property
    def is_adopted(self) -> bool:
        """Whether it is the very run it builds on; earlier versions trained it with a new seed."""
        return self.is_repeat and self.outcome.seconds == 0

    @property
    def images_per_second(self) -> float | None:
        """The speed of the run, or of its last epoch where the run names none."""
        speed = self.outcome.images_per_second
        return self.epochs[-1].images_per_second if speed is None and self.epochs else speed

    @property
    def best_epoch(self) -> Epoch | None:
        """The epoch whose weights were kept."""
        wanted = self.outcome.best_epoch
        return next((epoch for epoch in self.epochs if epoch.epoch == wanted), None)


@dataclass(frozen=True)
class ClassScore:
    """One row of the classification report."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Macro:
    """The plain means over the classes."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Twin:
    """The test result of a refitted model's twin, which was trained on the training split alone."""

    n: int
    accuracy: float
    interval: Interval
    loss: float | None = None
    val: Score | None = None
    differs_from_val: bool | None = None
    p_vs_val: float | None = None

    @property
    def score(self) -> Score:
        """The test accuracy in the shape in which every other accuracy comes."""
        return Score(self.accuracy, self.interval, self.n, self.loss)


@dataclass(frozen=True)
class Unseen:
    """`lookalikes` of a test result: what of the test images training had, in words."""

    sentence: str
    copies: int = 0


@dataclass(frozen=True)
class Scorecard:
    """`test.json`: the one test evaluation."""

    model: str
    time: str
    n: int
    accuracy: float
    interval: Interval
    loss: float | None
    openings: int
    data_fingerprint: str
    class_names: tuple[str, ...]
    per_class: tuple[ClassScore, ...]
    macro: Macro
    confusion: tuple[tuple[int, ...], ...]
    val: Score | None = None
    differs_from_val: bool | None = None
    p_vs_val: float | None = None
    topk: dict[int, float] = field(default_factory=dict)
    calibration: Calibration | None = None
    refit: bool = False
    twin: Twin | None = None
    lookalikes: Unseen | None = None
    openings_on_machine: int | None = None

    @property
    def score(self) -> Score:
        """The test accuracy in the shape in which every other accuracy comes."""
        return Score(self.accuracy, self.interval, self.n, self.loss)


@dataclass(frozen=True)
class Tested:
    """`test.json` as far as the page of a lone run tells it."""

    accuracy: float
    interval: Interval
    n: int
    openings: int
    openings_on_machine: int | None = None


@dataclass(frozen=True)
class About:
    """What the page of a lone run tells besides its curves."""

    data: str | None
    split: Split | None
    test: Tested | None
    environment: dict[str, Any]


@dataclass(frozen=True)
class Study:
    """Everything the page draws; `missing` names in plain words what the folder lacks."""

    card: Card
    rungs: tuple[Rung, ...]
    split: Split | None
    exploration: Exploration | None
    scorecard: Scorecard | None
    openings: tuple[Opening, ...]
    environment: dict[str, Any] | None
    missing: tuple[str, ...]
    mistakes: Mistakes | None = None

    def find_rung(self, name: str | None) -> Rung | None:
        """Find the rung of that name, or None."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    @property
    def winner(self) -> Rung | None:
        """The rung that the study chose."""
        return self.find_rung(self.card.best)

    @property
    def climbed(self) -> tuple[Rung, ...]:
        """The rungs that this study was to train: all but those left out on request."""
        return tuple(rung for rung in self.rungs if rung.plan.status != "skipped")

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the rungs left out on request."""
        return tuple(rung.name for rung in self.rungs if rung.plan.status == "skipped")

    @property
    def opened(self) -> int:
        """How often the seal was opened: the ledger counts, the scorecard may know of more."""
        return max(len(self.openings), self.scorecard.openings if self.scorecard else 0)
