"""The trials of a search: their accuracy along each setting that was searched."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from smallvision.format import format_percent, format_setting
from smallvision.records.schema import (
    Choices,
    Dimension,
    FloatRange,
    SettingValues,
    TrialRecord,
    TuningRecord,
)
from smallvision.reporting.charts.scales import Dot, Mark, Scale, fit_scale


@dataclass(frozen=True)
class SettingPlot:
    """The trials by the value of one setting and by their accuracy."""

    key: str
    marks: tuple[Mark, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True)
class TrialPlots:
    """A plot for each setting, all on one scale of accuracy."""

    plots: tuple[SettingPlot, ...]
    marks: tuple[Mark, ...]


def draw_trials(tuning: TuningRecord) -> TrialPlots:
    """Draw every trial that reached an accuracy; those stopped early may lie below."""
    reached = [trial for trial in tuning.trials if trial.accuracy is not None]
    complete = [trial for trial in reached if trial.state == "complete"]
    scale = fit_scale(trial.accuracy for trial in complete or reached if trial.accuracy is not None)
    # The best trial is drawn last, so that it lies on top.
    order = sorted(reached, key=lambda trial: tone_trial(trial, tuning) == "best")
    plots = (
        SettingPlot(
            key=dimension.key,
            marks=mark_dimension(dimension),
            dots=tuple(
                Dot(
                    x=place,
                    y=round(100 - scale.place(trial.accuracy or 0.0), 2),
                    css=tone_trial(trial, tuning),
                    title=describe_trial(trial),
                )
                for trial in order
                if (place := place_value(dimension, trial.values)) is not None
            ),
        )
        for dimension in tuning.space
    )
    marks = (Mark(round(100 - scale.place(tick), 2), f"{100 * tick:g}") for tick in scale.ticks(5))
    return TrialPlots(tuple(plots), tuple(marks))


def tone_trial(trial: TrialRecord, tuning: TuningRecord) -> str:
    """The CSS class of a trial: the best one, others that ran to their end, those stopped early."""
    if tuning.best is not None and trial.number == tuning.best.number:
        return "best"
    return trial.state


def mark_dimension(dimension: Dimension) -> tuple[Mark, ...]:
    """Mark the bounds of a range, or each choice."""
    values: tuple[float, ...] = (
        dimension.choices if isinstance(dimension, Choices) else (dimension.low, dimension.high)
    )
    places = ((place_value(dimension, {dimension.key: value}), value) for value in values)
    return tuple(Mark(place, format_setting(value)) for place, value in places if place is not None)


def place_value(dimension: Dimension, values: SettingValues) -> float | None:
    """Give the place of a setting's value on its axis in percent, or None where it has none."""
    value = values.get(dimension.key)
    if value is None or (isinstance(dimension, Choices) and value not in dimension.choices):
        return None
    if isinstance(dimension, Choices):
        last = len(dimension.choices) - 1
        return Scale(0, last).place(dimension.choices.index(int(value))) if last else 50.0
    return place_in_range(dimension, value)


def place_in_range(dimension: FloatRange, value: float) -> float | None:
    """Give the place of a number between its bounds, by its logarithm where the search had that."""
    if not dimension.log:
        return Scale(dimension.low, dimension.high).place(value)
    if value <= 0:
        return None
    return Scale(math.log(dimension.low), math.log(dimension.high)).place(math.log(value))


def describe_trial(trial: TrialRecord) -> str:
    """A trial in words: how it ended, and its settings."""
    return f"Trial {trial.number}: {describe_end(trial)}. {describe_settings(trial.values)}."


def describe_settings(values: Mapping[str, float]) -> str:
    """Settings in words, `lr 0.1, batch_size 64`."""
    return ", ".join(
        f"{key.rpartition('.')[2]} {format_setting(value)}" for key, value in values.items()
    )


def describe_end(trial: TrialRecord) -> str:
    """Say how a trial ended."""
    if trial.state == "failed":
        return f"failed{f': {trial.note}' if trial.note else ''}"
    reached = format_percent(trial.accuracy)
    return reached if trial.state == "complete" else f"stopped early at {reached}"
