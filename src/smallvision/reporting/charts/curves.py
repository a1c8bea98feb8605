"""Learning curves: a small panel for each run, and a large drawing of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smallvision.format import format_number, format_percent
from smallvision.records.schema import EpochMetrics
from smallvision.reporting.charts.scales import Dot, Mark, Scale, fit_scale, trace_line
from smallvision.reporting.view import RunView

COLUMNS = 60  # at most, of the epochs that a pointer can read
ACCURACIES = (("train_accuracy", "train"), ("val_accuracy", "val"))  # field, CSS class
LOSSES = (("loss", "batch"), ("train_loss", "train"), ("val_loss", "val"))
ACCURACY_HEIGHT, LOSS_TOP = 54.0, 66.0  # percent of the large drawing


@dataclass(frozen=True)
class Curve:
    """SVG path data in a box of 100 by 100."""

    css: str
    path: str


@dataclass(frozen=True)
class Panel:
    """The accuracy of a run on training and validation images, in a box of 100 by 100."""

    run: RunView
    curves: tuple[Curve, ...]
    kept: str


@dataclass(frozen=True)
class CurvePlot:
    """Curves on one axis; `top`, `height` and the ticks are percent of the large drawing."""

    title: str
    top: float
    height: float
    ticks: tuple[Mark, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class EpochColumn:
    """The stretch of the drawing in which a pointer shows the figures of an epoch."""

    start: float
    width: float
    title: str


@dataclass(frozen=True)
class CurveChart:
    """The accuracy and loss of a run by epoch; places are percent of the width."""

    name: str
    plots: tuple[CurvePlot, ...]
    epochs: tuple[Mark, ...]
    restarts: tuple[float, ...]
    columns: tuple[EpochColumn, ...]
    dots: tuple[Dot, ...]
    kept: Mark | None


def draw_panels(runs: Iterable[RunView]) -> tuple[tuple[Panel, ...], Scale]:
    """Draw every run that has epochs, all on one scale of accuracy."""
    runs = [run for run in runs if run.epochs]
    scale = fit_scale(frame_values(runs, ACCURACIES))
    return tuple(draw_panel(run, scale) for run in runs), scale


def draw_panel(run: RunView, scale: Scale) -> Panel:
    """Draw one run; a dot marks the epoch whose weights were kept."""
    epochs = fit_epochs(run.epochs[-1].epoch)
    kept = [run.kept_epoch] if run.kept_epoch else []
    return Panel(
        run=run,
        curves=trace_curves(run.epochs, ACCURACIES, epochs, scale),
        kept=trace_field(kept, "val_accuracy", epochs, scale),
    )


def draw_curves(run: RunView, snapshots: dict[int, bool] | None = None) -> CurveChart:
    """Draw a run that has epochs.

    Args:
        run: the run.
        snapshots: epochs to mark instead of the one that was kept, and whether each of them is a
            member of an ensemble.
    """
    planned = run.schedule.epochs if run.schedule else 0
    epochs = fit_epochs(max(planned, run.epochs[-1].epoch))
    accuracy = fit_scale(frame_values([run], ACCURACIES))
    losses = frame_values([run], LOSSES)
    loss = fit_scale(losses, high=2 * max(losses, default=0) or 1.0)  # a loss has no upper end
    kept = run.kept_epoch if snapshots is None else None
    marked = snapshots or ({kept.epoch: True} if kept else {})
    ends = run.schedule.end_epochs[:-1] if run.schedule else ()
    return CurveChart(
        name=run.name,
        plots=(
            draw_plot("accuracy, %", (0, ACCURACY_HEIGHT), run, ACCURACIES, (epochs, accuracy)),
            draw_plot("loss", (LOSS_TOP, 100 - LOSS_TOP), run, LOSSES, (epochs, loss)),
        ),
        epochs=tuple(
            Mark(epochs.place(tick), f"{tick:g}") for tick in epochs.ticks(8) if tick == int(tick)
        ),
        restarts=tuple(epochs.place(end) for end in ends),
        columns=lay_columns(run.epochs, epochs),
        dots=tuple(
            Dot(
                x=epochs.place(epoch.epoch),
                y=round(ACCURACY_HEIGHT * (1 - accuracy.place(epoch.val_accuracy) / 100), 2),
                css="member" if marked[epoch.epoch] else "left-out",
                title=describe_epoch(epoch),
            )
            for epoch in run.epochs
            if epoch.epoch in marked and epoch.val_accuracy is not None
        ),
        kept=Mark(epochs.place(kept.epoch), describe_kept(kept)) if kept else None,
    )


def draw_plot(
    title: str,
    frame: tuple[float, float],
    run: RunView,
    fields: Sequence[tuple[str, str]],
    scales: tuple[Scale, Scale],
) -> CurvePlot:
    """Draw some fields of the epochs.

    Args:
        title: of the axis.
        frame: top and height of the plot.
        run: whose epochs.
        fields: each with its CSS class.
        scales: of the epochs and of the values.
    """
    top, height = frame
    factor = 100 if title.endswith("%") else 1
    ticks = (
        Mark(round(top + height * (1 - scales[1].place(tick) / 100), 2), f"{factor * tick:g}")
        for tick in scales[1].ticks(5)
    )
    return CurvePlot(title, top, height, tuple(ticks), trace_curves(run.epochs, fields, *scales))


def fit_epochs(last: int) -> Scale:
    """The axis of epochs; a single epoch sits in the middle."""
    return Scale(1, last) if last > 1 else Scale(0, 2)


def frame_values(runs: Iterable[RunView], fields: Sequence[tuple[str, str]]) -> list[float]:
    """The values to frame."""
    values = (getattr(epoch, field) for run in runs for epoch in run.epochs for field, _ in fields)
    return [value for value in values if value is not None]


def trace_curves(
    epochs: Sequence[EpochMetrics],
    fields: Sequence[tuple[str, str]],
    across: Scale,
    up: Scale,
) -> tuple[Curve, ...]:
    """Trace some fields of the epochs, each with its CSS class."""
    curves = (Curve(css, trace_field(epochs, field, across, up)) for field, css in fields)
    return tuple(curve for curve in curves if curve.path)


def trace_field(epochs: Sequence[EpochMetrics], field: str, across: Scale, up: Scale) -> str:
    """SVG path data of one field; epochs in which nobody measured it are left out."""
    points = [
        (across.project(epoch.epoch), 100 - up.project(value))
        for epoch in epochs
        if (value := getattr(epoch, field)) is not None
    ]
    return trace_line(points)


def lay_columns(epochs: Sequence[EpochMetrics], across: Scale) -> tuple[EpochColumn, ...]:
    """Lay columns around epochs; of many epochs some share the column of another."""
    step = -(-len(epochs) // COLUMNS)
    half = across.project(across.low + step) / 2
    found = []
    for epoch in epochs[::step]:
        middle = across.project(epoch.epoch)
        start, end = max(0.0, middle - half), min(100.0, middle + half)
        found.append(EpochColumn(round(start, 2), round(end - start, 2), describe_epoch(epoch)))
    return tuple(found)


def describe_epoch(epoch: EpochMetrics) -> str:
    """The figures of an epoch in words."""
    return (
        f"Epoch {epoch.epoch}. Accuracy: validation {format_percent(epoch.val_accuracy)}, train "
        f"{format_percent(epoch.train_accuracy)}. Loss: validation {format_number(epoch.val_loss)},"
        f" train {format_number(epoch.train_loss)}, batches {format_number(epoch.loss)}."
    )


def describe_kept(epoch: EpochMetrics) -> str:
    """The epoch whose weights were kept, with its accuracy where it was validated."""
    reached = format_percent(epoch.val_accuracy, epoch.val_n)
    return f"epoch {epoch.epoch} kept{f': {reached}' if epoch.val_n else ''}"
