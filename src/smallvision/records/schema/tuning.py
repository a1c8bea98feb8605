"""The record of a search for better settings."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import (
    Accuracies,
    Count,
    Difference,
    DifferenceInterval,
    Fraction,
    Key,
    Name,
    Record,
    Seconds,
    Seeds,
    Text,
    at_most,
)
from smallvision.records.schema.measures import ClassMeansDifference, GoalName

MOST_TRIALS, MOST_SETTINGS = 100_000, 100  # of a search

SettingNumber: TypeAlias = Annotated[float, Field(ge=-1e9, le=1e9)]
WholeSetting: TypeAlias = Annotated[int, Field(ge=-(10**9), le=10**9)]
SettingValues: TypeAlias = Annotated[  # dotted key -> value
    dict[Key, WholeSetting | SettingNumber], Field(max_length=MOST_SETTINGS)
]


class FloatRange(Record):
    """A setting that is a number between two bounds, both included."""

    kind: Literal["float"] = "float"
    """The kind of dimension."""
    key: Key
    """Dotted key of the setting."""
    low: SettingNumber
    """Lower bound."""
    high: SettingNumber
    """Upper bound."""
    log: bool = False
    """Whether each factor is equally likely, instead of each difference."""

    @model_validator(mode="after")
    def check_range(self) -> Self:
        """The range has a width, and a logarithm where it is searched by that."""
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("expected a low end below the high one, and above 0 for logarithms")
        return self

    def contains(self, value: float) -> bool:
        """Whether the search could propose a value."""
        slack = 1e-9 * max(abs(self.low), abs(self.high))  # of drawing by way of logarithms
        return self.low - slack <= value <= self.high + slack

    def __str__(self) -> str:
        return f"{self.low:.3g} to {self.high:.3g}{', log scale' if self.log else ''}"


class Choices(Record):
    """A setting that is one of a few whole numbers."""

    kind: Literal["choice"] = "choice"
    """The kind of dimension."""
    key: Key
    """Dotted key of the setting."""
    choices: Annotated[tuple[WholeSetting, ...], at_most(1000, least=1)]
    """The numbers."""

    def contains(self, value: float) -> bool:
        """Whether the search could propose a value."""
        return value in self.choices

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.choices))}"


Dimension: TypeAlias = Annotated[FloatRange | Choices, Field(discriminator="kind")]


class TrialResult(Record):
    """How a trial ended."""

    state: Literal["complete", "pruned", "failed"]
    """`pruned` fell behind, `failed` diverged or ran out of memory."""
    accuracy: Fraction | None
    """Best validation accuracy over its epochs, or the metric of the search in its place; null if
    it failed."""
    epochs: Count
    """Epochs it finished."""
    seconds: Seconds
    """Time of all sessions."""
    note: Text | None
    """Why it was pruned or failed."""

    @model_validator(mode="after")
    def _check_accuracy(self) -> Self:
        if (self.accuracy is None) != (self.state == "failed"):
            raise ValueError(f"a trial that is {self.state} has accuracy {self.accuracy}")
        return self


class TrialRecord(TrialResult):
    """A trial of a search."""

    number: Count
    """Its number; trial 0 has the recipe's own settings."""
    values: SettingValues
    """The settings that were tried."""


class BestTrial(Record):
    """The best complete trial, the first of equals."""

    number: Count
    """Its number."""
    values: SettingValues
    """Its settings."""
    accuracy: Fraction
    """Its validation accuracy, or the metric of the search in its place."""


class RerunRecord(Record):
    """The winner and the untuned recipe, trained at full length with seeds the search never saw."""

    trial: Count
    """Number of the winning trial."""
    seeds: Seeds = ()
    """Fresh seeds; none where trial 0 won."""
    tuned: Accuracies = ()
    """Validation accuracy of the winner, by seed."""
    untuned: Accuracies = ()
    """Validation accuracy of the untuned recipe, by seed."""
    difference: Difference | None = None
    """Difference of the mean accuracies; null where nothing was compared."""
    interval: DifferenceInterval | None = None
    """95 % interval of the difference."""
    p: Fraction | None = None
    """p-value of the difference, as a comparison of the same runs has it."""
    by_class: ClassMeansDifference | None = None
    """The difference with every class counted alike; null where accuracy was maximised."""
    sentence: Text
    """Whether the gain holds, in words."""


class TuningRecord(Record):
    """`tune.json`: what is searched, every trial and the best; written after each trial."""

    recipe: Name
    """Name of the recipe that is tuned."""
    metric: GoalName = "val_accuracy"
    """What is maximised."""
    epochs: Count
    """Epochs of a trial."""
    trials_asked: Count = 0
    """Trials to finish."""
    budget_seconds: Seconds | None = None
    """Time after which no further trial begins."""
    sampler: Name
    """Method that proposes settings."""
    startup_trials: Count
    """Random trials before the sampler uses what it has seen."""
    pruner: Name
    """Method that gives up trials."""
    space: Annotated[tuple[Dimension, ...], at_most(MOST_SETTINGS)]
    """The settings that are searched."""
    trials: Annotated[tuple[TrialRecord, ...], at_most(MOST_TRIALS)] = ()
    """All finished trials, in order."""
    best: BestTrial | None = None
    """The best complete trial; null if there is none."""
    importance: Annotated[dict[Key, Fraction], Field(max_length=MOST_SETTINGS)] = Field(
        default_factory=dict
    )
    """Share of the variance of accuracy that each setting explains; empty from few trials."""
    rerun: RerunRecord | None = None
    """The test of the gain; null until the winner was run again."""

    def count(self, state: str) -> int:
        """How many trials ended in a state."""
        return sum(trial.state == state for trial in self.trials)
