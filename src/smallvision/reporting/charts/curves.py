"""Learning curves: small static panels, and one figure per rung for plotly."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from smallvision.format import format_accuracy, format_percent
from smallvision.reporting.charts.scales import Scale, fit_scale, trace_line
from smallvision.reporting.view import Epoch, Rung, Schedule

Figure = dict[str, Any]
SLOW_START = 0.1  # share of the epochs that may lie outside the frame at first


@dataclass(frozen=True)
class Panel:
    """A rung's accuracy on train and validation, drawn in a box of 100 by 100."""

    rung: Rung
    train: str
    val: str
    best: tuple[float, float] | None
    figures: str


def draw_panels(rungs: Iterable[Rung]) -> tuple[tuple[Panel, ...], Scale]:
    """Draw every rung that has epochs, all on one scale of accuracy."""
    rungs = [rung for rung in rungs if rung.epochs]
    scale = fit_scale(frame_values(rungs, "train_accuracy", "val_accuracy"))
    return tuple(draw_panel(rung, scale) for rung in rungs), scale


def frame_values(rungs: Iterable[Rung], *fields: str) -> list[float]:
    """Pick the values to frame: those of the first epochs would squeeze all others to a line."""
    values = (
        getattr(epoch, field)
        for rung in rungs
        for epoch in rung.epochs[round(SLOW_START * len(rung.epochs)) :]
        for field in fields
    )
    return [value for value in values if value is not None and math.isfinite(value)]


def draw_panel(rung: Rung, scale: Scale) -> Panel:
    """Draw one rung; the dot marks the epoch whose weights were kept."""
    last = max(epoch.epoch for epoch in rung.epochs)
    best = rung.best_epoch
    dot = None
    if best is not None and best.val_accuracy is not None:
        dot = (place_epoch(best.epoch, last), round(100 - scale.place(best.val_accuracy), 2))
    return Panel(
        rung=rung,
        train=trace_epochs(rung, "train_accuracy", last, scale),
        val=trace_epochs(rung, "val_accuracy", last, scale),
        best=dot,
        figures=format_accuracy(rung.outcome.val),
    )


def place_epoch(epoch: int, last: int) -> float:
    """Give the position of an epoch across a panel; a single epoch sits in the middle."""
    return 50.0 if last == 1 else round(100 * (epoch - 1) / (last - 1), 2)


def trace_epochs(rung: Rung, field: str, last: int, scale: Scale) -> str:
    """SVG path data of one curve."""
    points = [
        (place_epoch(epoch.epoch, last), 100 - scale.place(value))
        for epoch in rung.epochs
        if (value := getattr(epoch, field)) is not None
    ]
    # A lone point draws nothing as a line; a line onto itself with round caps is a dot.
    return trace_line(points * 2 if len(points) == 1 else points)


def build_figures(rungs: Iterable[Rung]) -> dict[str, Figure]:
    """One plotly figure per rung with epochs; colours are names that the page resolves."""
    return {rung.name: build_figure(rung) for rung in rungs if rung.epochs}


def build_figure(rung: Rung) -> Figure:
    """Accuracy, loss and learning rate of one rung above a common axis of epochs."""
    traces = [
        draw_trace(rung.epochs, "train_accuracy", "train, clean", "--soft", "y"),
        draw_trace(rung.epochs, "val_accuracy", "validation", "--accent", "y"),
        draw_trace(rung.epochs, "loss", "training batches", "--faint", "y2", dash="dot"),
        draw_trace(rung.epochs, "train_loss", "train, clean", "--soft", "y2"),
        draw_trace(rung.epochs, "val_loss", "validation", "--accent", "y2"),
    ]
    shapes, notes = draw_best(rung)
    if rung.schedule is not None:
        traces.append(draw_rate(rung.schedule))
        shapes += draw_cycle_ends(rung.schedule)
    layout = build_layout(rung)
    return {"data": traces, "layout": {**layout, "shapes": shapes, "annotations": notes}}


def draw_trace(
    epochs: tuple[Epoch, ...], field: str, name: str, colour: str, axis: str, dash: str = "solid"
) -> Figure:
    """One curve over the epochs."""
    is_rate = axis == "y"
    shape = "%{y:.2f}\u00a0%" if is_rate else "%{y:.4f}"
    return {
        "type": "scatter",
        # A single epoch is a point: a line through it would be invisible.
        "mode": "lines" if len(epochs) > 1 else "markers",
        "name": name,
        "x": [epoch.epoch for epoch in epochs],
        "y": [scale_value(getattr(epoch, field), 100 if is_rate else 1) for epoch in epochs],
        "yaxis": axis,
        "line": {"color": colour, "width": 2.5 if colour == "--accent" else 1.5, "dash": dash},
        "marker": {"color": colour, "size": 7},
        "hovertemplate": f"{name} {shape}<extra></extra>",
        # The page has a key of its own, which the small panels share.
        "showlegend": False,
    }


def draw_rate(schedule: Schedule) -> Figure:
    """Draw the learning rate under the curves; step 0 is the start of epoch 1."""
    # The value of an epoch is known at its end, so a step lands at its share of epochs done.
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "learning rate",
        "x": [round(step / schedule.steps_per_epoch, 4) for step in schedule.step],
        "y": [scale_value(value) for value in schedule.value],
        "yaxis": "y3",
        "line": {"color": "--ink", "width": 1.25},
        "hovertemplate": "learning rate %{y:.3g}<extra></extra>",
        "showlegend": False,
    }


def draw_best(rung: Rung) -> tuple[list[Figure], list[Figure]]:
    """Draw a line through the epoch whose weights were kept, and its name on top."""
    best = rung.best_epoch
    if best is None:
        return [], []
    n = rung.outcome.val.n if rung.outcome.val else 0
    left = best.epoch > (rung.outcome.epochs_done or len(rung.epochs)) / 2
    line = draw_line(best.epoch, "--accent", "solid")
    note = {
        "text": html.escape(f"epoch {best.epoch} kept: {format_percent(best.val_accuracy, n)}"),
        "x": best.epoch,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "xanchor": "right" if left else "left",
        "showarrow": False,
        "font": {"color": "--accent", "size": 13},
    }
    return [line], [note]


def draw_cycle_ends(schedule: Schedule) -> list[Figure]:
    """Draw a dotted line where the learning rate restarts."""
    return [
        draw_line((end + 1) / schedule.steps_per_epoch, "--rule", "dot")
        for end in schedule.cycle_ends[:-1]
    ]


def draw_line(epoch: float, colour: str, dash: str) -> Figure:
    """Draw a vertical line through all three plots."""
    return {
        "type": "line",
        "x0": round(epoch, 4),
        "x1": round(epoch, 4),
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "below",
        "line": {"color": colour, "width": 1, "dash": dash},
    }


def build_layout(rung: Rung) -> Figure:
    """Three stacked plots; the lowest is missing when there is no schedule."""
    last = rung.schedule.epochs if rung.schedule else max(epoch.epoch for epoch in rung.epochs)
    floor = 0.2 if rung.schedule else 0.0
    middle = floor + (1 - floor) * 0.42
    rates = [100 * rate for rate in frame_values([rung], "train_accuracy", "val_accuracy")]
    losses = frame_values([rung], "loss", "train_loss", "val_loss")
    return {
        "xaxis": {
            **draw_axis("epoch", None, []),
            "range": [0, last * 1.02],
            "showgrid": False,
            "anchor": "y3" if rung.schedule else "y2",
            "hoverformat": ".0f",
        },
        "yaxis": draw_axis("accuracy, %", (middle + 0.05, 1), rates),
        "yaxis2": draw_axis("loss", (floor + 0.05 if floor else 0, middle), losses),
        "yaxis3": {
            **draw_axis("rate", (0, floor - 0.03 if floor else 0), []),
            "rangemode": "tozero",
            "nticks": 3,
            "visible": rung.schedule is not None,
        },
        "hovermode": "x unified",
        "margin": {"l": 56, "r": 12, "t": 28, "b": 44},
    }


def draw_axis(title: str, domain: tuple[float, float] | None, values: list[float]) -> Figure:
    """Draw an axis framed around the values; a double click in the page shows all there is."""
    axis: Figure = {
        "title": {"text": title, "font": {"size": 13}},
        "gridcolor": "--line",
        "zeroline": False,
        "automargin": True,
    }
    if domain:
        axis["domain"] = [round(end, 4) for end in domain]
    if values:
        room = 0.06 * (max(values) - min(values)) or 0.01
        axis["range"] = [round(min(values) - room, 4), round(max(values) + room, 4)]
    return axis


def scale_value(value: float | None, factor: float = 1) -> float | None:
    """Give a number of six digits that JSON can hold; plotly leaves a gap where there is none."""
    return float(f"{factor * value:.6g}") if value is not None and math.isfinite(value) else None
