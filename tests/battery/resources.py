"""Few file descriptors, little memory, small files, streams that fail, and poor environments."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from smallvision.records.layout import STATUS, is_finished, read_status
from tests.battery.kills import Job, run_undisturbed
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "Where files, memory, threads, a home or a place to print run short, from the start or in "
    "mid-job, a command works, or ends with one line and no traceback; nothing is lost, and with "
    "enough of them it goes on to the same bits."
)
MB = 1 << 20
# Ended by the system or the C++ library, which ask nobody; all that was written is there.
ENDED_BY_OTHERS = (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS)
# The loader of libraries ends the process where it has no memory for itself.
LOADER_GAVE_UP = 127
LIMITS: dict[str, tuple[int, Callable[[random.Random], int]]] = {
    "file descriptors": (resource.RLIMIT_NOFILE, lambda draw: draw.randint(3, 8)),
    "size of files": (resource.RLIMIT_FSIZE, lambda draw: draw.randrange(200_000)),
    "address space": (resource.RLIMIT_AS, lambda draw: draw.randint(200, 1000) * MB),
    "data memory": (resource.RLIMIT_DATA, lambda draw: draw.randint(150, 600) * MB),
}
ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0"}
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "no home": {"HOME": "/nonexistent", "SMALLVISION_CACHE": ""},
    "home that is a file": {"HOME": "/dev/null", "SMALLVISION_CACHE": ""},
    "cache that cannot be written": {"SMALLVISION_CACHE": "/proc/cache"},
    "no temporary folder": {"TMPDIR": "/nonexistent"},
    "ASCII": ASCII | {"PYTHONCOERCECLOCALE": "0"},
    "UTF-16": {"PYTHONIOENCODING": "utf-16"},
    "no terminal": {"TERM": "dumb", "COLUMNS": "20"},
}
STREAMS = {
    "stdin closed": "<&-",
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "all closed": "<&- >&- 2>&-",
    "stdout full": ">/dev/full",
    "stderr full": "2>/dev/full",
    "both full": ">/dev/full 2>&1",
    "stdout gone": "| true",
    "both gone": "2>&1 | true",
    "stdout only to read": "1</dev/null",
}


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Every stream and environment once, as trials allow; then limits at random moments."""
    outcome = Outcome(PROMISE)
    job = Job("train", ("train", "digits", write_recipe(place)), ("--resume",))
    run_undisturbed(job, place)
    named = [*STREAMS, *ENVIRONMENTS]
    random.Random(seed).shuffle(named)
    limits = list(LIMITS)

    def attempt(number: int) -> None:
        draw, folder = random.Random(f"{seed} {number}"), place / f"{number:03d}"
        if number % 2 == 0 and number // 2 < len(named):
            kind = named[number // 2]
            act = break_stream if kind in STREAMS else impoverish
        else:
            kind, act = limits[number // 2 % len(limits)], limit
        name = f"{number} {kind}"
        with outcome.trial(name):
            act(kind, job, folder, draw, lambda fact, said: outcome.expect(fact, f"{name}: {said}"))
        outcome.count("limits" if act is limit else "streams and environments")

    each(trials, attempt)
    return outcome


def limit(kind: str, job: Job, folder: Path, draw: random.Random, expect: Any) -> None:
    """Lower a limit of a process that is under way; then go on without it."""
    which, choose = LIMITS[kind]
    process = start(*job.spell(folder), cache=folder.parent / "cache")
    time.sleep(draw.uniform(0.1, 1.0) * job.seconds)
    value = choose(draw)
    with suppress(ProcessLookupError):  # it was done before
        resource.prlimit(process.pid, which, (value, value))
    code, said = finish(process)
    kind = f"{kind} {value:,}"
    expect("Traceback" not in said, f"{kind}: traceback: {said[-500:]}")
    ended_by_others = code in ENDED_BY_OTHERS or (code == LOADER_GAVE_UP and ": ABORT" in said)
    expect(code in (0, 1, 2) or ended_by_others, f"{kind}: exit {code}: {said[-300:]}")
    if code in (1, 2):
        expect("error: " in said, f"{kind}: exit {code}: {said[-300:]}")
    go_on(job, folder, expect)


def break_stream(kind: str, job: Job, folder: Path, _: random.Random, expect: Any) -> None:
    """Run a job whose streams are closed, full or gone: it works, or says so where it can."""
    words = [sys.executable, "-m", "smallvision", *map(str, job.spell(folder))]
    done = subprocess.run(
        ["bash", "-c", f'"$@" {STREAMS[kind]}; exit "${{PIPESTATUS[0]}}"', "bash", *words],
        env=os.environ
        | {
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "",
            "PYTHONPATH": os.pathsep.join(sys.path[1:]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    said = done.stdout + done.stderr
    expected = {"full": (0, 2), "gone": (0, 141), "read": (2,)}.get(kind.split()[-1], (0,))
    expect(done.returncode in expected, f"exit {done.returncode}: {said[-400:]}")
    expect("Traceback" not in said and "Exception ignored" not in said, f"said {said[-400:]}")
    go_on(job, folder, expect)


def impoverish(kind: str, job: Job, folder: Path, _: random.Random, expect: Any) -> None:
    """Run a job in a poor environment, in which it works."""
    cache = Path(ENVIRONMENTS[kind].get("SMALLVISION_CACHE", folder.parent / "cache"))
    code, said = finish(start(*job.spell(folder), cache=cache, variables=ENVIRONMENTS[kind]))
    expect(code == 0, f"exit {code}: {said[-400:]}")
    go_on(job, folder, expect)


def go_on(job: Job, folder: Path, expect: Any) -> None:
    """Go on with a job where nothing is short, and compare the bits."""
    begun = folder.exists() and any(path.name != ".lock" for path in folder.iterdir())
    if begun and (folder / STATUS).exists() and is_finished(folder):
        expect(not compare_bits(read_bits(folder), job.expected), "other bits")
        return
    code, said = finish(start(*job.spell(folder, again=begun), cache=folder.parent / "cache"))
    expect(code == 0, f"went on with {code}: {said[-300:]}")
    if code == 0 and read_status(folder).micro_batch:
        return  # made in smaller parts, and rounded differently
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    expect(not differences, f"{differences[:4]}")
