"""Python programs as processes of their own, whose time counts from their start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from smallvision.errors import FailedRunError, SettingError


def time_process(arguments: Sequence[str]) -> tuple[float, dict[str, Any]]:
    """Run Python with arguments.

    Returns: seconds from the start of the process to its end, and its last line of output, which
        is JSON.

    Raises:
        FailedRunError: the process failed.
        SettingError: it refused its arguments.
    """
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        complaint = done.stderr.strip().splitlines()[-1:] or [f"code {done.returncode}"]
        kind = SettingError if done.returncode == SettingError.exit_code else FailedRunError
        raise kind(complaint[0].removeprefix("error: "))
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seconds, said
