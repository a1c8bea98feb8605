"""The record of a search for better settings."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from smallvision.records.schema.base import Count, Fraction, Interval, Record

SettingValues: TypeAlias = dict[str, int | float]  # dotted key -> value


class FloatRange(Record):
    """A setting that is a number between two bounds, both included."""

    kind: Literal["float"] = "float"
    """The kind of dimension."""
    key: str
    """Dotted key of the setting."""
    low: float
    """Lower bound."""
    high: float
    """Upper bound."""
    log: bool = False
    """Whether each factor is equally likely, instead of each difference."""

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
    key: str
    """Dotted key of the setting."""
    choices: tuple[int, ...]
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
    """Best validation accuracy over its epochs; null if it failed."""
    epochs: Count
    """Epochs it finished."""
    seconds: Annotated[float, Field(ge=0)]
    """Time of all sessions."""
    note: str | None
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
    """Its validation accuracy."""


class RerunRecord(Record):
    """The winner and the untuned recipe, trained at full length with seeds the search never saw."""

    trial: Count
    """Number of the winning trial."""
    seeds: tuple[int, ...] = ()
    """Fresh seeds; none where trial 0 won."""
    tuned: tuple[float, ...] = ()
    """Validation accuracy of the winner, by seed."""
    untuned: tuple[float, ...] = ()
    """Validation accuracy of the untuned recipe, by seed."""
    difference: float | None = None
    """Difference of the mean accuracies; null where nothing was compared."""
    interval: Interval | None = None
    """95 % interval of the difference."""
    p: float | None = None
    """p-value of the difference, as a comparison of the same runs has it."""
    sentence: str
    """Whether the gain holds, in words."""


class TuningRecord(Record):
    """`tune.json`: what is searched, every trial and the best; written after each trial."""

    recipe: str
    """Name of the recipe that is tuned."""
    metric: Literal["val_accuracy"] = "val_accuracy"
    """What is maximised."""
    epochs: Count
    """Epochs of a trial."""
    trials_asked: Count = 0
    """Trials to finish."""
    budget_seconds: float | None = None
    """Time after which no further trial begins."""
    sampler: str
    """Method that proposes settings."""
    startup_trials: Count
    """Random trials before the sampler uses what it has seen."""
    pruner: str
    """Method that gives up trials."""
    space: tuple[Dimension, ...]
    """The settings that are searched."""
    trials: tuple[TrialRecord, ...] = ()
    """All finished trials, in order."""
    best: BestTrial | None = None
    """The best complete trial; null if there is none."""
    importance: dict[str, float] = Field(default_factory=dict)
    """Share of the variance of accuracy that each setting explains; empty from few trials."""
    rerun: RerunRecord | None = None
    """The test of the gain; null until the winner was run again."""

    def count(self, state: str) -> int:
        """How many trials ended in a state."""
        return sum(trial.state == state for trial in self.trials)
