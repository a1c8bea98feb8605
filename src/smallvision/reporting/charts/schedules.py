"""Learning-rate schedules, drawn once each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.reporting.charts.scales import trace_line
from smallvision.reporting.view import Rung, Schedule


@dataclass(frozen=True)
class SchedulePlot:
    """A learning-rate schedule in a box of 100 by 100, and the rungs that follow it."""

    schedule: Schedule
    rungs: tuple[str, ...]
    path: str
    top: str
    ends: tuple[tuple[float, str], ...]

    @property
    def restarts(self) -> tuple[str, ...]:
        """The epochs after which the learning rate jumps back up."""
        return tuple(epoch for place, epoch in self.ends if place < 100)


def draw_schedules(rungs: Iterable[Rung]) -> tuple[SchedulePlot, ...]:
    """Draw each distinct schedule once, with the rungs that share it."""
    shared: dict[Schedule, list[str]] = {}
    for rung in rungs:
        if rung.schedule is not None:
            shared.setdefault(rung.schedule, []).append(rung.name)
    return tuple(draw_schedule(schedule, tuple(names)) for schedule, names in shared.items())


def draw_schedule(schedule: Schedule, rungs: tuple[str, ...]) -> SchedulePlot:
    """Draw a schedule; a hairline stands at the end of each cycle."""
    total = max(1, schedule.steps_per_epoch * schedule.epochs)
    top = max(schedule.value, default=0.0) or 1.0
    points = [
        (min(100.0, 100 * step / total), 100 - 100 * value / top)
        for step, value in zip(schedule.step, schedule.value, strict=False)
    ]
    ends = tuple(
        (round(min(100.0, 100 * (end + 1) / total), 2), f"{(end + 1) / schedule.steps_per_epoch:g}")
        for end in schedule.cycle_ends
    )
    return SchedulePlot(schedule, rungs, trace_line(points), f"{top:.3g}", ends)
