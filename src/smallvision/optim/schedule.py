"""Learning-rate schedules: pure functions from a step to a multiplier of the peak rate."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """A multiplier for every step, and where its cycles end.

    Attributes:
        multiplier: step (counted from 0) -> multiplier in [0, 1].
        cycle_ends: the last step of every cycle, in order; the weights after that step are a
            snapshot, because the restart leaves their minimum.
    """

    multiplier: Callable[[int], float]
    cycle_ends: tuple[int, ...]

    def __call__(self, step: int) -> float:  # noqa: D102 - documented by the class
        return self.multiplier(step)

    def count_since_restart(self, step: int) -> int:
        """Steps of the same cycle before this one."""
        cycle = bisect_left(self.cycle_ends, step)
        return step - (self.cycle_ends[cycle - 1] + 1 if cycle else 0)


def _warm_up(step: int, warmup_steps: float, value: float) -> float:
    """Scale a multiplier by a linear ramp over the first steps."""
    return min(1.0, (step + 1) / warmup_steps) * value if warmup_steps > 0 else value


def _cosine(progress: float, floor: float) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2


def sgdr(
    epochs: int,
    steps_per_epoch: int,
    *,
    cycles: int = 3,
    cycle_mult: float = 2.0,
    warmup_epochs: float = 0.0,
    floor: float = 0.0,
) -> Schedule:
    """Cosine annealing with warm restarts.

    Cycles are given by their number and growth and fill the planned epochs exactly, so that a run
    never ends in the middle of a cycle. Each cycle ends at the end of an epoch.

    Args:
        epochs: planned epochs; if there are fewer than `cycles`, each epoch is a cycle.
        steps_per_epoch: updates per epoch.
        cycles: number of cycles.
        cycle_mult: length of each cycle relative to the one before; 1 makes them equal.
        warmup_epochs: linear ramp at the very start, in epochs.
        floor: multiplier at the end of a cycle.

    Source: Loshchilov and Hutter, arXiv 1608.03983.
    """
    bounds = [end * steps_per_epoch for end in divide_cycles(epochs, cycles, cycle_mult)]

    def multiplier(step: int) -> float:
        start, end = find_cycle(bounds, step)
        progress = (step - start) / (end - start)
        return _warm_up(step, warmup_epochs * steps_per_epoch, _cosine(min(progress, 1.0), floor))

    return Schedule(multiplier, tuple(bound - 1 for bound in bounds[1:]))


def divide_cycles(epochs: int, cycles: int, cycle_mult: float) -> list[int]:
    """The bounds of cycles in epochs, from 0 on; there are at most as many cycles as epochs."""
    cycles = min(cycles, epochs)
    weights = [cycle_mult**i for i in range(cycles)]
    ends = [0]
    for i in range(1, cycles + 1):
        ideal = round(epochs * sum(weights[:i]) / sum(weights))
        # Every cycle needs an epoch, and must leave one for each of those to come.
        ends.append(min(max(ideal, ends[-1] + 1), epochs - (cycles - i)))
    return ends


def find_cycle(bounds: Sequence[int], step: int) -> tuple[int, int]:
    """The first step of the cycle that a step is in, and the first step after the cycle."""
    i = bisect_right(bounds, step, hi=len(bounds) - 1) - 1
    return bounds[i], bounds[i + 1]


def cosine(
    epochs: int, steps_per_epoch: int, *, warmup_epochs: float = 0.0, floor: float = 0.0
) -> Schedule:
    """One cosine from the peak to the floor: SGDR with a single cycle."""
    return sgdr(epochs, steps_per_epoch, cycles=1, warmup_epochs=warmup_epochs, floor=floor)


def linear(
    epochs: int,
    steps_per_epoch: int,
    *,
    cycles: int = 1,
    cycle_mult: float = 1.0,
    warmup_epochs: float = 0.0,
    floor: float = 0.0,
) -> Schedule:
    """Linear decay from the peak to the floor in every cycle, after a linear warm-up.

    Args:
        epochs: planned epochs; if there are fewer than `cycles`, each epoch is a cycle.
        steps_per_epoch: updates per epoch.
        cycles: number of cycles.
        cycle_mult: length of each cycle relative to the one before; 1 makes them equal.
        warmup_epochs: linear ramp at the very start, in epochs.
        floor: multiplier at the end of a cycle.
    """
    bounds = [end * steps_per_epoch for end in divide_cycles(epochs, cycles, cycle_mult)]
    warmup_steps = warmup_epochs * steps_per_epoch

    def multiplier(step: int) -> float:
        if step < warmup_steps:
            return min(1.0, (step + 1) / warmup_steps)
        first, end = find_cycle(bounds, step)
        start = max(first, warmup_steps)  # the ramp is part of the first cycle
        return max(floor, 1 - (1 - floor) * (step - start) / max(1, end - start))

    return Schedule(multiplier, tuple(bound - 1 for bound in bounds[1:]))


def one_cycle(
    epochs: int,
    steps_per_epoch: int,
    *,
    peak: float = 0.3,
    start: float = 0.04,
    floor: float = 0.0,
) -> Schedule:
    """One cosine up to the peak, then one cosine down to the floor.

    Args:
        epochs, steps_per_epoch: length of the run.
        peak: share of the run after which the learning rate is highest, in (0, 1).
        start: multiplier at the first step.
        floor: multiplier at the end.

    Source: Smith and Topin, arXiv 1708.07120, in the two-phase form that fastai made common.
    """
    total = epochs * steps_per_epoch

    def multiplier(step: int) -> float:
        progress = step / total
        if progress < peak:
            return _cosine(1 - progress / peak, start)
        return _cosine((progress - peak) / (1 - peak), floor)

    return Schedule(multiplier, (total - 1,))
