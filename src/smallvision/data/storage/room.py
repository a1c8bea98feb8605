"""The folder of the cache, and how much memory images may take."""

from __future__ import annotations

import os
import re
from pathlib import Path

from smallvision.errors import DataError, SettingError

WORKING_SET = 1_500_000_000  # bytes of memory that a process is meant to take
# The images of a set may take this share of it in memory. They are there three times, as a set, its
# parts and what is trained on, beside 0.6 GB of Python, torch and scikit-learn.
SHARE = 1 / 6
CHUNK_BYTES = 16_000_000  # of images that are read at a time
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:([kMGT])?B)?\s*", re.IGNORECASE)
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def expand(path: str | Path) -> Path:
    """A path with `~` replaced by the home folder.

    Raises:
        DataError: there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataError(f"{path} names a home folder that does not exist") from error


def cache_folder() -> Path:
    """SMALLVISION_CACHE, else XDG_CACHE_HOME/smallvision, else ~/.cache/smallvision."""
    if chosen := os.environ.get("SMALLVISION_CACHE"):
        return expand(chosen)
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return expand(root) / "smallvision"


def working_set() -> int:
    """Bytes of memory that a process is meant to take: SMALLVISION_WORKING_SET, else 1.5 GB.

    Raises:
        SettingError: the variable is no size.
    """
    text = os.environ.get("SMALLVISION_WORKING_SET", "")
    if not text:
        return WORKING_SET
    found = _SIZE.fullmatch(text)
    if found is None:
        raise SettingError(
            f"SMALLVISION_WORKING_SET is '{text:.80}'; expected a size such as 1.5GB or 800MB"
        )
    return int(float(found[1]) * _UNITS[(found[2] or "").lower()])


def fits_memory(size: int) -> bool:
    """Whether images of so many bytes may lie in memory, where they may be held three times."""
    return size <= SHARE * working_set()


def count_chunk(size: int, most: int = 4096) -> int:
    """How many images of so many bytes each are read at a time."""
    return max(1, min(most, CHUNK_BYTES // max(1, size)))
