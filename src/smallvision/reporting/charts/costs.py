"""Accuracy against what it costs: minutes of training, and milliseconds for one image."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from smallvision.format import format_duration, format_latency, format_percent
from smallvision.records.schema import EpochMetrics, ValidatedRun
from smallvision.reporting.charts.intervals import fit_intervals
from smallvision.reporting.charts.scales import Dot, Mark, Scale, round_step
from smallvision.reporting.view import RungView

CROWDED = 12.0  # percent of the width within which labels must not lie on each other
LINE = 6.0  # percent of the height that a label takes
SHORTEST, BRIEFEST = 1e-3, 1e-6  # seconds: the least that is drawn of a training, of a prediction


@dataclass(frozen=True)
class CostPoint:
    """A rung on a plot: its place and that of its number, and the ends of its cycles in order."""

    number: int
    dot: Dot
    label: float
    ends: tuple[Dot, ...] = ()

    @property
    def steps(self) -> tuple[tuple[Dot, Dot], ...]:
        """What joins the ends of its cycles, and the last of them with the rung."""
        return tuple(itertools.pairwise((*self.ends, self.dot)))


@dataclass(frozen=True)
class CostPlot:
    """All rungs along one cost, whose axis is logarithmic."""

    title: str
    marks: tuple[Mark, ...]
    points: tuple[CostPoint, ...]


@dataclass(frozen=True)
class CostChart:
    """Both plots on one scale of accuracy; the key names the rung of each number."""

    plots: tuple[CostPlot, ...]
    marks: tuple[Mark, ...]
    key: tuple[tuple[int, str], ...]
    searched: bool

    @property
    def cycled(self) -> bool:
        """Whether ends of cycles are drawn."""
        return any(point.ends for plot in self.plots for point in plot.points)


@dataclass(frozen=True)
class PricedRung:
    """A finished rung that was trained, with its number in the ladder."""

    number: int
    rung: RungView
    found: ValidatedRun

    @property
    def seconds(self) -> float:
        """Of training, the search for its settings included."""
        return self.found.seconds + self.found.search_seconds


def draw_costs(rungs: Sequence[RungView], best: str | None) -> CostChart | None:
    """Draw all rungs that were trained; None where there are fewer than two.

    Args:
        rungs: in the ladder's order, which gives them their numbers.
        best: name of the winner.
    """
    priced = [
        PricedRung(number, rung, rung.run.validated)
        for number, rung in enumerate(rungs, start=1)
        if rung.run.validated is not None and not rung.is_adopted
    ]
    if len(priced) < 2:
        return None
    scale = fit_intervals(one.found.val for one in priced)

    def lift(accuracy: float) -> float:
        return round(100 - scale.place(accuracy), 2)

    def place(
        one: PricedRung, axis: Scale, cost: float, said: str, ends: tuple[Dot, ...]
    ) -> CostPoint:
        accuracy, name = one.found.val.accuracy, one.rung.name
        dot = Dot(
            x=axis.place(math.log(cost)),
            y=lift(accuracy),
            css="best" if name == best else "rung",
            title=f"{name}: {format_percent(accuracy, one.found.val.n)}, {said}",
        )
        return CostPoint(one.number, dot, dot.y, ends)

    minutes = fit_costs(
        [
            *(max(one.seconds, SHORTEST) / 60 for one in priced),
            *(end.seconds / 60 for one in priced for end in list_ends(one) if end.seconds > 0),
        ]
    )
    latency = fit_costs([max(one.found.latency_seconds, BRIEFEST) * 1000 for one in priced])

    def mark_ends(one: PricedRung) -> tuple[Dot, ...]:
        return tuple(
            Dot(
                x=minutes.place(math.log(max(end.seconds, SHORTEST) / 60)),
                y=lift(end.val_accuracy or 0.0),
                css="end",
                title=(
                    f"{one.rung.name}, cycle {end.cycle}, epoch {end.epoch}: "
                    f"{format_percent(end.val_accuracy, end.val_n)}, {format_duration(end.seconds)}"
                ),
            )
            for end in list_ends(one)
        )

    return CostChart(
        searched=any(one.found.search_seconds for one in priced),
        plots=(
            draw_plot(
                "minutes of training",
                minutes,
                priced,
                lambda one: place(
                    one,
                    minutes,
                    max(one.seconds, SHORTEST) / 60,
                    format_duration(one.seconds),
                    mark_ends(one),
                ),
            ),
            draw_plot(
                "milliseconds for one image",
                latency,
                priced,
                lambda one: place(
                    one,
                    latency,
                    max(one.found.latency_seconds, BRIEFEST) * 1000,
                    format_latency(one.found.latency_seconds),
                    (),
                ),
            ),
        ),
        marks=tuple(Mark(round(100 - mark.place, 2), mark.text) for mark in scale.marks(11)),
        key=tuple((one.number, one.rung.name) for one in priced),
    )


def list_ends(one: PricedRung) -> list[EpochMetrics]:
    """The last epoch of each cycle; of an ensemble those of its snapshots.

    The end of a trained run's last cycle is the rung itself. A search that came before the first
    epoch is no part of these times.
    """
    run = one.rung.snapshots or one.rung.run
    by_cycle = {epoch.cycle: epoch for epoch in run.epochs if epoch.val_accuracy is not None}
    ends = list(by_cycle.values())
    return ends if one.rung.snapshots else ends[:-1]


def draw_plot(
    title: str,
    axis: Scale,
    priced: Iterable[PricedRung],
    place: Callable[[PricedRung], CostPoint],
) -> CostPlot:
    """Place rungs along one cost, and their numbers beside them where there is room."""
    points = sorted(map(place, priced), key=lambda point: point.dot.y)
    placed: list[CostPoint] = []
    for point in points:
        near = [other.label + LINE for other in placed if abs(other.dot.x - point.dot.x) < CROWDED]
        placed.append(replace(point, label=round(max([point.dot.y, *near]), 2)))
    return CostPlot(title, mark_costs(axis), tuple(placed))


def fit_costs(costs: Sequence[float]) -> Scale:
    """A logarithmic axis that holds all costs, which are above 0, and at least a factor of 5."""
    low, high = math.log(min(costs)), math.log(max(costs))
    room = max(0.08 * (high - low), (math.log(5) - (high - low)) / 2)
    return Scale(low - room, high + room)


def mark_costs(axis: Scale) -> tuple[Mark, ...]:
    """Round costs on a logarithmic axis: 1, 2 and 5 times powers of ten, or powers alone."""
    low, high = math.exp(axis.low), math.exp(axis.high)
    ticks = []
    tick = round_step(low)
    while tick <= high:
        ticks.append(tick)
        tick = round_step(tick * 1.5)
    if len(ticks) > 7:
        powers = [tick for tick in ticks if math.isclose(math.log10(tick) % 1, 0, abs_tol=1e-9)]
        ticks = powers[:: -(-len(powers) // 7)] or ticks
    return tuple(Mark(axis.place(math.log(tick)), f"{tick:g}") for tick in ticks)
