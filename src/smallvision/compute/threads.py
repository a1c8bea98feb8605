"""CPU threads that a process may use."""

from __future__ import annotations

import os
from pathlib import Path


def count_threads() -> int:
    """CPU threads this process may use: its affinity, and its container's quota if there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, read_quota()))


def read_quota() -> int:
    """Whole cores that the container grants, or a very large number without a container."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or no limit ("max")
        return 2**20
