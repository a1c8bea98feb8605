"""SIGSTOP and SIGCONT at random moments: a laptop that sleeps, a job that a scheduler suspends."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from tests.battery.kills import Job, list_jobs, prepare_jobs
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "A command that is stopped and continued comes to the same bits; while it is stopped its "
    "folder stays its own, and another process is told so; a signal to end that came meanwhile is "
    "obeyed once it goes on."
)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
STOPPED = 0.5  # seconds, at the least


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Stop jobs at random times, some of them with a signal to end meanwhile."""
    outcome = Outcome(PROMISE)
    jobs = prepare_jobs(list_jobs(write_recipe(place)), names, place)

    def attempt(number: int) -> None:
        draw, job = random.Random(f"{seed} {number}"), jobs[number % len(jobs)]
        name = f"{number} {job.name}"
        with outcome.trial(name):
            stop(job, place / f"{number:03d}", draw, outcome, name)

    each(trials, attempt)
    return outcome


def stop(job: Job, folder: Path, draw: random.Random, outcome: Outcome, name: str) -> None:
    """Stop and continue a job, once or more; see what others are told, and what comes of it."""
    cache, ends = folder.parent / "cache", draw.choice((None, None, *CODES))
    process = start(*job.spell(folder), cache=cache)
    for _ in range(draw.choice((1, 1, 3))):
        time.sleep(draw.uniform(0.1, 0.9) * job.seconds)
        process.send_signal(signal.SIGSTOP)
        outcome.count("stops")
        lock = folder / ".lock"
        owned = process.poll() is None and lock.exists() and lock.read_text(encoding="utf-8")
        if owned:
            code, said = finish(start(*job.spell(folder, again=True), cache=cache))
            told = code == 2 and f"process {process.pid} on" in said
            outcome.expect(told, f"{name}: while stopped, another left with {code}: {said[-200:]}")
            outcome.count("others told")
        else:
            time.sleep(STOPPED)
        if ends:
            process.send_signal(ends)
        process.send_signal(signal.SIGCONT)
    code, said = finish(process)
    if ends and code:
        early = code in (-ends, 1)  # Python itself had only just begun
        outcome.expect(code == CODES[ends] or early, f"{name}: exit {code}: {said[-200:]}")
        outcome.count("ended when continued")
        code, said = finish(start(*job.spell(folder, again=folder.exists()), cache=cache))
    outcome.expect(code == 0, f"{name}: exit {code}: {said[-300:]}")
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    outcome.expect(not differences, f"{name}: {differences[:4]}")
