"""A process that dies at a named place in a writer: `python -m tests.battery.faults FAULT ARGS`.

Nothing in the product knows of faults. What it calls of the system is replaced before it starts,
and the process kills itself as `kill -9` would, with no clean-up.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

# before the temporary file is written, half of it written, before it is synced, before it is
# renamed, before the folder is synced, before a file is removed, amid the removal of a folder, amid
# a line that is appended
STAGES = ("open", "half", "sync", "rename", "folder", "unlink", "prune", "append")


class Fault:
    """Counts the places a process passes, and ends it at one.

    Args:
        stage: of `STAGES`, or empty for none.
        number: which passage of it is the last, counted from 1.
    """

    def __init__(self, stage: str, number: int) -> None:
        self.stage, self.number = stage, number
        self.passed: Counter[str] = Counter()

    def pass_by(self, stage: str, act: Callable[[], object] = lambda: None) -> None:
        """Pass a place; if it is the last one, do something first and die."""
        self.passed[stage] += 1
        if (stage, self.passed[stage]) == (self.stage, self.number):
            act()
            os.kill(os.getpid(), signal.SIGKILL)


class Half:
    """A file that may die amid a write."""

    def __init__(self, file: Any, fault: Fault, stage: str) -> None:
        self.file, self.fault, self.stage = file, fault, stage

    def write(self, content: bytes) -> int:
        """Write all of it, or half and no more."""

        def write_half() -> None:
            self.file.write(content[: len(content) // 2])
            self.file.flush()

        self.fault.pass_by(self.stage, write_half)
        return int(self.file.write(content))

    def __enter__(self) -> Half:
        self.file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def arm(fault: Fault) -> None:
    """Let the product pass by a fault wherever it writes, renames or removes."""
    opened, synced, replaced, unlinked = os.fdopen, os.fsync, os.replace, os.unlink
    removed = shutil.rmtree

    def fdopen(descriptor: int, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if mode == "wb":
            fault.pass_by("open")
        file = opened(descriptor, mode, *arguments, **options)
        stage = {"wb": "half", "a+b": "append"}.get(mode)
        return Half(file, fault, stage) if stage else file

    def fsync(descriptor: int) -> None:
        fault.pass_by("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "sync")
        synced(descriptor)

    def replace(source: Any, target: Any, **options: Any) -> None:
        if str(source).endswith(".tmp"):
            fault.pass_by("rename")
        replaced(source, target, **options)

    def unlink(path: Any, **options: Any) -> None:
        if not str(path).endswith(".tmp"):
            fault.pass_by("unlink")
        unlinked(path, **options)

    def rmtree(path: Any, *arguments: Any, **options: Any) -> None:
        where = Path(f"/proc/self/fd/{options.get('dir_fd')}", path)
        fault.pass_by("prune", lambda: unlinked(next(iter(sorted(where.iterdir())))))
        removed(path, *arguments, **options)

    os.fdopen = fdopen  # type: ignore[assignment]
    os.fsync, os.replace, os.unlink = fsync, replace, unlink  # type: ignore[assignment]
    shutil.rmtree = rmtree  # type: ignore[assignment]


def main() -> None:
    """Run the command line under a fault.

    `count` prints how often each place is passed; `clock:NAME` bends the clock; `hasty` lets the
    workers of a search give each other up soon, and copies often to a store.
    """
    # As in a terminal: what runs in the background of a shell inherits that these are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    spelled, *arguments = sys.argv[1:]
    stage, _, number = spelled.partition(":")
    if stage == "clock":
        from tests.battery.clocks import bend

        bend(number)
    if stage == "hasty":  # a worker that is silent for three seconds is given up by the others
        from smallvision.tracking import mirror
        from smallvision.tuning import search, sharing

        mirror.PERIOD = 0.2
        search.BEAT = sharing.BEAT = 1
        search.SILENCE = sharing.SILENCE = 8
        sharing.POLL = 0.2
    fault = Fault(stage, int(number) if number.isdecimal() else 0)
    if spelled:
        arm(fault)
    sys.argv = ["smallvision", *arguments]
    from smallvision.cli.main import main as run

    try:
        run()
    finally:
        if stage == "count":
            print("passed", " ".join(f"{name}:{n}" for name, n in fault.passed.items()))


if __name__ == "__main__":
    main()
