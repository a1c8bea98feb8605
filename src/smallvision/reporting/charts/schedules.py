"""Learning-rate schedules, each drawn once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.records.schema import LearningRateSchedule
from smallvision.reporting.charts.scales import Mark, trace_line
from smallvision.reporting.view import RunView


@dataclass(frozen=True)
class SchedulePlot:
    """A learning-rate schedule in a box of 100 by 100, and the names of the runs that follow it."""

    schedule: LearningRateSchedule
    runs: tuple[str, ...]
    path: str
    top: str
    ends: tuple[Mark, ...]

    @property
    def restarts(self) -> tuple[str, ...]:
        """The epochs after which the learning rate jumps back up."""
        return tuple(end.text for end in self.ends if end.place < 100)


def draw_schedules(runs: Iterable[RunView]) -> tuple[SchedulePlot, ...]:
    """Draw each distinct schedule once."""
    shared: dict[LearningRateSchedule, list[str]] = {}
    for run in runs:
        if run.schedule is not None:
            shared.setdefault(run.schedule, []).append(run.name)
    return tuple(draw_schedule(schedule, tuple(names)) for schedule, names in shared.items())


def draw_schedule(schedule: LearningRateSchedule, runs: tuple[str, ...]) -> SchedulePlot:
    """Draw a schedule; a hairline stands at the end of each cycle."""
    total = max(1, schedule.steps_per_epoch * schedule.epochs)
    top = max(schedule.value, default=0.0) or 1.0
    points = [
        (min(100.0, 100 * step / total), 100 - 100 * value / top)
        for step, value in zip(schedule.step, schedule.value, strict=False)
    ]
    ends = tuple(
        Mark(
            round(min(100.0, 100 * (end + 1) / total), 2),
            f"{(end + 1) / schedule.steps_per_epoch:g}",
        )
        for end in schedule.cycle_ends
    )
    return SchedulePlot(schedule, runs, trace_line(points), f"{top:.3g}", ends)
