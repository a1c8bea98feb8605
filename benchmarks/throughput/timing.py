"""Times that can be compared: jobs take turns, and the median counts."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch

from benchmarks.records import Part

TURN_SECONDS = 1.0  # shorter jobs are repeated to fill a turn
REST_SECONDS = 0.5  # before each turn, so that the workers of the job before become idle

Job = Callable[[], int]  # does some work; returns how many images that was


class Timing(Part):
    """What a job took."""

    seconds: tuple[float, ...]
    """In each round."""

    @property
    def median(self) -> float:
        """Of the rounds."""
        return statistics.median(self.seconds)


class Throughput(Part):
    """How fast a job is."""

    images_per_second: float
    """Median over the turns."""
    rounds: tuple[float, ...]
    """Images a second in each turn."""


def measure_in_turns(jobs: Mapping[str, Job], rounds: int) -> dict[str, Throughput]:
    """Time jobs in turns, so that a slow minute of the machine slows all of them.

    Args:
        jobs: by name; each runs once before it is timed.
        rounds: turns of each.
    """
    for job in jobs.values():
        job()
    turns = [{name: time_job(job) for name, job in jobs.items()} for _ in range(rounds)]
    measured = {}
    for name in jobs:
        rates = tuple(turn[name] for turn in turns)
        measured[name] = Throughput(images_per_second=statistics.median(rates), rounds=rates)
        print(f"{name}: {statistics.median(rates):,.0f} images a second", flush=True)
    return measured


def time_job(job: Job) -> float:
    """Images a second of one turn."""
    synchronize()
    time.sleep(REST_SECONDS)
    began = time.perf_counter()
    images = job()
    synchronize()
    return images / (time.perf_counter() - began)


def count_repeats(act: Callable[[], object]) -> int:
    """How often something fits into a turn, at least once.

    It is done twice to find out: the first time a GPU loads its kernels and searches the fastest.
    """
    act()
    synchronize()
    began = time.perf_counter()
    act()
    synchronize()
    return max(1, round(TURN_SECONDS / (time.perf_counter() - began)))


def repeat(act: Callable[[], object], times: int, images: int) -> Job:
    """A job that does something so many times, each time with so many images."""

    def job() -> int:
        for _ in range(times):
            act()
        return times * images

    return job


def synchronize() -> None:
    """Wait until a GPU has finished its work."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
