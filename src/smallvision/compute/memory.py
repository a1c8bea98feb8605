"""Memory of the machine and of its GPU."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # of glibc's malloc.h


def measure_memory(device: str) -> int:
    """Bytes of memory: of this machine or what its container grants, or what a GPU has left."""
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, to reuse
        return int(torch.cuda.mem_get_info()[0]) + kept
    here = 2**63
    with suppress(AttributeError, ValueError):  # Windows does not tell
        here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # no such file, or no limit ("max")
        here = min(here, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return here


def keep_freed_memory() -> None:
    """Keep the memory that tensors give back, instead of asking the system for it at every step.

    glibc hands large blocks back at once, and the system clears each page of them anew: a sixth
    of the time of a step in batches of 250, and more in larger ones. Elsewhere this does nothing.
    """
    with suppress(OSError, AttributeError, TypeError):  # Windows wants a library's name
        mallopt = ctypes.CDLL(None).mallopt
        if not mallopt(M_MMAP_THRESHOLD, 2**30):  # before 2.35 glibc took no more than 32 MB
            mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
