"""CPU threads that a process may use, and that pay where others are at work."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

SAMPLES, PAUSE = 5, 0.02  # how often is looked who else is at work, and seconds in between
# Variables by which users limit the threads of the libraries that compute.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class ThreadChoice:
    """How many threads a process computes with, and why.

    Attributes:
        count: the number.
        reason: why it is not the number of cores, in words; empty where it is.
    """

    count: int
    reason: str = ""


def count_threads() -> int:
    """CPU threads that training uses, unless its recipe says a number; see `choose_threads`."""
    return choose_threads().count


@cache
def choose_threads() -> ThreadChoice:
    """As many threads as cores that this process may use and that nobody else is busy on.

    Threads of several processes that share a core wait for each other in loops: with two threads
    on a busy machine of two cores an epoch took twelve times as long as with one. The choice holds
    for the whole process, so that all its runs compute alike.
    """
    cores = count_cores()
    told = {name: int(text) for name in VARIABLES if is_count(text := os.environ.get(name, ""))}
    if told:
        name = min(told, key=lambda name: told[name])
        count = min(cores, told[name])
        return ThreadChoice(count, f"{name} is {told[name]}")
    if cores < (os.cpu_count() or 1):  # what others do may be on the cores that are not ours
        return ThreadChoice(cores)
    busy = min(cores, count_others())
    idle = max(1, cores - busy)
    return ThreadChoice(idle, tell_busy(busy, cores) if idle < cores else "")


def tell_busy(busy: int, cores: int) -> str:
    """That others are at work on some cores."""
    verb = "is" if busy == 1 else "are"
    return f"{busy} of {cores} cores {verb} busy with other work"


def count_cores() -> int:
    """CPU threads this process may use: its affinity, and its container's quota if there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, read_quota()))


def is_count(text: str) -> bool:
    """Whether a variable says a number of threads."""
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= 65_536


def count_others() -> int:
    """How many threads of other processes compute at this moment; 0 where nobody says."""
    found = []
    for _ in range(SAMPLES):
        running = read_running()
        if running is None:
            return 0
        found.append(running - 1)  # this one, which reads
        time.sleep(PAUSE)
    return max(0, round(median(found)))


def read_running() -> int | None:
    """How many threads of this machine run or wait for a core; None where Linux does not say."""
    try:
        return int(Path("/proc/loadavg").read_text().split()[3].split("/")[0])
    except (OSError, ValueError, IndexError):
        return None


def read_quota() -> int:
    """Whole cores that the container grants, or a very large number without a container."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or no limit ("max")
        return 2**20
