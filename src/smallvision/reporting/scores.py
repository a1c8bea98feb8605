"""What was measured: accuracies, their comparison, and how far probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Score:
    """An accuracy with its 95 % interval and the number of images behind it."""

    accuracy: float
    interval: Interval
    n: int
    loss: float | None = None


@dataclass(frozen=True)
class Verdict:
    """One paired comparison out of `verdicts.json`."""

    rung: str
    against: str
    n: int
    difference: float
    interval: Interval
    p: float
    verdict: Literal["better", "worse", "cannot tell apart"]
    needed_n: int | None
    sentence: str
    gap_change: float | None = None
    seconds_ratio: float | None = None
    parameters_ratio: float | None = None
    latency_ratio: float | None = None
    bootstrap: Interval | None = None
    seeds: tuple[int, int] = (1, 1)

    @property
    def is_of_lone_runs(self) -> bool:
        """Whether it is about two networks, and not about what other seeds would give."""
        return self.seeds == (1, 1)


@dataclass(frozen=True)
class Verdicts:
    """`verdicts.json`."""

    steps: tuple[Verdict, ...]
    against_best: tuple[Verdict, ...]


@dataclass(frozen=True)
class Bin:
    """The images whose most likely class got a probability between `low` and `high`."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be believed; bins without images are left out."""

    ece: float
    nll: float
    brier: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Calibration:
    """Probabilities before and after they were divided by a temperature."""

    temperature: float
    before: Reliability
    after: Reliability


@dataclass(frozen=True)
class Seeds:
    """`seeds.json`: one recipe on one split from several seeds, some of which may have failed."""

    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    mean: float
    std: float | None
    interval: Interval | None
    n: int
    failed: tuple[int, ...] = ()
