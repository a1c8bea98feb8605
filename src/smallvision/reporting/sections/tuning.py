"""A search for better settings: its trials side by side, what mattered, what the winner changed."""

from __future__ import annotations

import html
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smallvision.errors import RecordError
from smallvision.format import (
    format_duration,
    format_percent,
    format_setting,
)
from smallvision.reporting.charts.curves import Figure
from smallvision.reporting.charts.scales import Scale, fit_scale
from smallvision.reporting.findings import Dimension, Trial, Tuning
from smallvision.reporting.view import Rung, Study

WEAK, STRONG = "--rule", "--accent"  # the ends of the colour scale
FEW = 6  # ticks on one axis
APART = 0.07  # of an axis, between two ticks


@dataclass(frozen=True)
class Change:
    """One setting of the winner beside the recipe that the search started from."""

    key: str
    before: str
    after: str

    @property
    def is_new(self) -> bool:
        """Whether the search moved the setting."""
        return self.before != self.after


@dataclass(frozen=True)
class Search:
    """All that the page says of a search."""

    rung: Rung
    tuning: Tuning
    changes: tuple[Change, ...]
    importance: tuple[tuple[str, float], ...]
    sentence: str


def draw_search(study: Study) -> Search | None:
    """Collect the first rung's search; None where no rung searched."""
    rung = next((rung for rung in study.climbed if rung.tuning is not None), None)
    if rung is None or rung.tuning is None:
        return None
    tuning = rung.tuning
    importance = sorted((tuning.importance or {}).items(), key=lambda pair: -pair[1])
    base = study.find_rung(tuning.recipe) or study.find_rung(rung.plan.builds_on)
    return Search(rung, tuning, list_changes(tuning, base), tuple(importance), count_trials(tuning))


def count_trials(tuning: Tuning) -> str:
    """Say how many trials there were and how they ended."""
    total, complete = len(tuning.trials), tuning.count("complete")
    pruned, failed = tuning.count("pruned"), tuning.count("failed")
    asked = tuning.trials_asked
    of = f" of the {asked} asked for" if asked is not None and asked != total else ""
    ends = [f"{complete} ran to the end"]
    ends.append(f"{pruned} {'was' if pruned == 1 else 'were'} stopped early by {tuning.pruner}")
    ends.append(f"{failed} failed")
    budget = tuning.budget_seconds
    limit = f" The search had {format_duration(budget)}." if budget is not None else ""
    drawn = "at random"
    if total > tuning.startup_trials:
        drawn = f"by {tuning.sampler} from the {tuning.startup_trials + 1}th on, before at random"
    return (
        f"{total} trials{of}, each of up to {tuning.epochs} epochs: the recipe's own settings, "
        f"then others drawn {drawn}. Of these {', '.join(ends)}.{limit}"
    )


def list_changes(tuning: Tuning, base: Rung | None) -> tuple[Change, ...]:
    """Set the winner's values beside those of the recipe it started from."""
    if tuning.best is None:
        return ()
    recipe = parse_recipe(base)
    return tuple(
        Change(key, format_setting(find_setting(recipe, key)), format_setting(value))
        for key, value in tuning.best.values.items()
    )


def parse_recipe(rung: Rung | None) -> dict[str, Any]:
    """Read the settings of a rung's recipe.

    Raises:
        RecordError: the recipe is no TOML.
    """
    try:
        return tomllib.loads(rung.recipe) if rung is not None and rung.recipe else {}
    except tomllib.TOMLDecodeError as error:
        name = rung.name if rung is not None else "?"
        raise RecordError(f"recipe.toml of {name} is damaged: {error}") from error


def find_setting(recipe: object, key: str) -> object:
    """Find a dotted key; in a list of named entries a part may be an entry's name."""
    for part in key.split("."):
        if isinstance(recipe, list):
            entries = [entry for entry in recipe if isinstance(entry, Mapping)]
            recipe = next((entry for entry in entries if entry.get("name") == part), None)
        else:
            recipe = recipe.get(part) if isinstance(recipe, Mapping) else None
    return recipe


@dataclass(frozen=True)
class Axis:
    """One upright axis of the parallel coordinates; positions go from 0 to 1."""

    title: str
    ticks: tuple[tuple[float, str], ...]


def build_parallel(tuning: Tuning) -> Figure:
    """Build the parallel coordinates: one line for each trial, coloured by its accuracy.

    Plotly's own kind of this plot compiles code in the browser, which the page's policy forbids;
    plain lines draw the same and print as well.
    """
    reached = [trial.accuracy for trial in tuning.trials if trial.accuracy is not None]
    ended = [t.accuracy for t in tuning.trials if t.state == "complete" and t.accuracy is not None]
    scale = fit_scale(ended or reached)
    axes = [*map(lay_axis, tuning.space), lay_accuracy(scale)]
    order = sorted(tuning.trials, key=lambda trial: trial.accuracy or 0)
    traces = [draw_trial(trial, tuning, scale) for trial in order if trial.state != "failed"]
    notes = [note for place, axis in enumerate(axes) for note in write_axis(place, axis)]
    return {
        "data": traces,
        "layout": {
            "xaxis": {"visible": False, "range": [-0.45, len(axes) - 0.75], "fixedrange": True},
            "yaxis": {"visible": False, "range": [-0.05, 1.05], "fixedrange": True},
            "shapes": [draw_axis_line(place) for place in range(len(axes))],
            "annotations": notes,
            "margin": {"l": 8, "r": 8, "t": 56, "b": 12},
            "hovermode": "closest",
            "showlegend": False,
        },
    }


def lay_axis(dimension: Dimension) -> Axis:
    """Lay out the axis of one setting."""
    if dimension.choices:
        texts = [(place_value(dimension, c), format_setting(c)) for c in dimension.choices]
        return Axis(
            dimension.key, tuple((place, text) for place, text in texts if place is not None)
        )
    low, high = dimension.low or 0.0, dimension.high or 0.0
    inner = list_powers(low, high) if dimension.log else Scale(low, high).ticks(FEW)
    ticks: list[tuple[float, str]] = []
    # The ends first: they are the limits of the search, and what is too close to them gives way.
    for value in (low, high, *inner):
        place = place_value(dimension, value)
        if place is not None and all(abs(place - other) >= APART for other, _ in ticks):
            ticks.append((place, format_setting(float(value))))
    return Axis(dimension.key, tuple(sorted(ticks)))


def list_powers(low: float, high: float) -> tuple[float, ...]:
    """List 1, 2 and 5 times powers of ten inside a stretch, or the powers alone if it is long."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1.0,) if last - first > 3 else (1.0, 2.0, 5.0)
    values = (m * 10.0**power for power in range(first, last + 1) for m in steps)
    return tuple(value for value in values if low <= value <= high)


def lay_accuracy(scale: Scale) -> Axis:
    """Lay out the last axis, the accuracy a trial reached."""
    ticks = tuple((scale.place(tick) / 100, f"{100 * tick:g}") for tick in scale.ticks(FEW))
    return Axis("validation.accuracy, %", ticks)


def place_value(dimension: Dimension, value: object) -> float | None:
    """Give the height of a value on its axis, or None where it has none."""
    if dimension.choices:
        if value not in dimension.choices:
            return None
        last = len(dimension.choices) - 1
        return dimension.choices.index(value) / last if last else 0.5
    low, high = dimension.low, dimension.high
    if low is None or high is None or not isinstance(value, int | float) or high <= low:
        return None
    if dimension.log:
        if min(low, value) <= 0:
            return None
        low, high, value = math.log(low), math.log(high), math.log(value)
    return round((value - low) / (high - low), 4)


def draw_trial(trial: Trial, tuning: Tuning, scale: Scale) -> Figure:
    """Draw one trial; a pruned one ends at its last setting, for it never got a full accuracy."""
    heights = [place_value(dim, trial.values.get(dim.key)) for dim in tuning.space]
    is_whole = trial.state == "complete" and trial.accuracy is not None
    share = scale.place(trial.accuracy) / 100 if is_whole and trial.accuracy is not None else 0.0
    is_best = tuning.best is not None and trial.number == tuning.best.number
    settings = [f"{key} {format_setting(value)}" for key, value in trial.values.items()]
    lines = [f"trial {trial.number}, {describe_end(trial)}", *settings]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(range(len(heights) + is_whole)),
        "y": [*heights, round(share, 4)] if is_whole else heights,
        "line": {
            "color": f"{WEAK}>{STRONG}:{share:.3f}" if is_whole else "--faint",
            "width": 4 if is_best else 1.75 if is_whole else 1,
            "dash": "solid" if is_whole else "dot",
        },
        "marker": {"size": 9 if is_best else 5},
        "hoverinfo": "text",
        "text": "<br>".join(map(html.escape, lines)),
    }


def describe_end(trial: Trial) -> str:
    """Say how a trial ended."""
    if trial.state == "failed":
        return f"failed{f': {trial.note}' if trial.note else ''}"
    reached = format_percent(trial.accuracy)
    if trial.state == "complete":
        return reached
    return f"stopped early, at best {reached}" if trial.accuracy is not None else "stopped early"


def draw_axis_line(place: int) -> Figure:
    """Draw the line of an axis."""
    return {
        "type": "line",
        "x0": place,
        "x1": place,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": "--rule", "width": 1},
    }


def write_axis(place: int, axis: Axis) -> list[Figure]:
    """Write the name of an axis above it and its ticks to its left."""
    group, _, name = axis.title.rpartition(".")
    title = f"{html.escape(group)}<br>{html.escape(name)}"
    common = {"x": place, "showarrow": False}
    ticks = [
        {
            **common,
            "y": height,
            "text": html.escape(text),
            "xanchor": "right",
            "xshift": -5,
            # Lines run under the ticks; what is written must stay readable.
            "bgcolor": "--paper",
            "borderpad": 1,
            "font": {"size": 12},
        }
        for height, text in axis.ticks
    ]
    top = {**common, "y": 1.05, "yanchor": "bottom", "text": title}
    return [top, *ticks]
