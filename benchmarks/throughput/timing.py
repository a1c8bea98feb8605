"""Times that can be compared: jobs take turns, and the median counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

TURN_SECONDS = 1.0  # what is quicker is done several times in a turn
REST_SECONDS = 0.5  # before a turn, in which the workers of the one before come to rest

Job = Callable[[], int]  # does some work; returns how many images it was


def alternate(
    jobs: Mapping[str, Job], *, rounds: int, say: Callable[[str], None] = lambda _line: None
) -> dict[str, dict[str, Any]]:
    """Let jobs take turns, so that a slow minute of the machine is a slow minute of all.

    Args:
        jobs: by name; each is run once before it is timed.
        rounds: turns of each.
        say: told of each job's rate once it is known.

    Returns: by name, images a second: the median of its turns, and all of them.
    """
    rates: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            rates[name].append(time_job(job))
    for name, measured in rates.items():
        say(f"{name}: {statistics.median(measured):,.0f} images a second")
    return {
        name: {"images_per_second": statistics.median(measured), "rounds": measured}
        for name, measured in rates.items()
    }


def time_job(job: Job) -> float:
    """Images a second of one turn."""
    settle()
    time.sleep(REST_SECONDS)
    began = time.perf_counter()
    images = job()
    settle()
    return images / (time.perf_counter() - began)


def fill_turn(act: Callable[[], object]) -> int:
    """How often something fits a turn, at least once; it is done twice to find out.

    The first time a GPU loads what it needs and looks for its fastest kernels.
    """
    act()
    settle()
    began = time.perf_counter()
    act()
    settle()
    return max(1, round(TURN_SECONDS / (time.perf_counter() - began)))


def repeat(act: Callable[[], object], times: int, images: int) -> Job:
    """A job of doing something so many times, each with so many images."""

    def job() -> int:
        for _ in range(times):
            act()
        return times * images

    return job


def settle() -> None:
    """Wait until a GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
