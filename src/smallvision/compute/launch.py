"""Whether `torchrun` started this process beside others; asked before torch is loaded."""

from __future__ import annotations

import os


def count_processes() -> int:
    """How many processes train together."""
    told = os.environ.get("WORLD_SIZE", "1")
    return int(told) if told.isdecimal() else 1


def is_helper() -> bool:
    """Whether another process leads this one."""
    return count_processes() > 1 and os.environ.get("RANK", "0") != "0"
