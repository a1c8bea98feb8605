"""A clock that goes backwards, jumps by years or stands still, and files of other times."""

from __future__ import annotations

import datetime
import os
import random
import time
from itertools import count
from pathlib import Path
from typing import Any

from smallvision.records import store
from smallvision.records.layout import STATUS, newest_folder
from tests.battery.kills import Job, list_jobs, prepare_jobs
from tests.battery.outcome import Outcome
from tests.battery.work import call, compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "Whatever the clock of the machine does, a job comes to the same bits, its durations are not "
    "negative, and its records are read; whatever times files bear, the newest folder is found."
)
YEAR = 365 * 86_400
NOW = 1_800_000_000
# From how many times it was asked, and the true time, to what the clock says.
CLOCKS = {
    "backwards": lambda asked, true: true - 60 * asked,
    "stands still": lambda asked, true: NOW,
    "jumps by years": lambda asked, true: true + YEAR * (0, 9, -20, 11)[asked % 4],
    "1970": lambda asked, true: asked % 2,
    "beyond 2038": lambda asked, true: 2**31 + asked,
    "the year 9000": lambda asked, true: NOW + 6980 * YEAR,
}


def bend(name: str) -> None:
    """Let every clock of this process that a person could set follow one of `CLOCKS`."""
    true, asked, clock = time.time, count(), CLOCKS[name]

    class Bent(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.fromtimestamp(time.time(), tz)

        @classmethod
        def utcnow(cls) -> Any:
            return datetime.datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    time.time = lambda: float(clock(next(asked), true()))
    time.time_ns = lambda: int(time.time() * 1e9)
    # Libraries keep their own `datetime`; the package and the storage of a search ask this one.
    import optuna.storages._rdb.storage

    import smallvision.records.files

    for module in (smallvision.records.files, optuna.storages._rdb.storage):
        module.datetime = Bent


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Run jobs under each clock in turn, some of them killed and resumed under another."""
    outcome = Outcome(PROMISE)
    jobs = prepare_jobs(list_jobs(write_recipe(place)), names, place)

    def attempt(number: int) -> None:
        turn, which = divmod(number, len(CLOCKS))
        draw, clock = random.Random(f"{seed} {number}"), list(CLOCKS)[which]
        job, folder = jobs[(turn + which) % len(jobs)], place / f"{number:03d}"
        name = f"{number} {job.name}, {clock}"
        with outcome.trial(name):
            work(job, folder, clock, draw, outcome, name)

    each(trials, attempt)
    with outcome.trial("times of files"):
        find_newest(place / "runs", outcome)
    return outcome


def work(
    job: Job, folder: Path, clock: str, draw: random.Random, outcome: Outcome, name: str
) -> None:
    """Run a job under a clock, or half of it, and the rest under another; then read all of it."""
    cache, again = folder.parent / "cache", False
    if draw.random() < 0.3:
        process = start(*job.spell(folder), cache=cache, fault=f"clock:{clock}")
        time.sleep(draw.uniform(0.3, 1.0) * job.seconds)
        process.kill()
        finish(process)
        again, clock = folder.exists(), draw.choice(list(CLOCKS))
        outcome.count("killed, and resumed under another clock")
    code, said = finish(start(*job.spell(folder, again=again), cache=cache, fault=f"clock:{clock}"))
    outcome.expect(code == 0, f"{name}: exit {code}: {said[-300:]}")
    if code:
        return
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    outcome.expect(not differences, f"{name}: {differences[:4]}")
    for path in folder.rglob("*.json*"):
        if path.suffix in (".json", ".jsonl"):
            for line in (
                path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
            ):
                negative = list_negative(store.parse(line))
                outcome.expect(not negative, f"{name}: {path.name} has {negative}")
    call("runs", folder, cache=cache)
    if job.name != "tune":
        runs = [path.parent for path in folder.rglob(STATUS)]
        call("report", folder if job.name == "study" else runs[0], cache=cache)


def list_negative(record: Any, name: str = "") -> list[str]:
    """The durations below zero in a record, at any depth."""
    if isinstance(record, dict):
        return [found for key, value in record.items() for found in list_negative(value, key)]
    if isinstance(record, list):
        return [found for value in record for found in list_negative(value, name)]
    is_time = "seconds" in name or "latency" in name
    return [f"{name} = {record}"] if is_time and isinstance(record, float) and record < 0 else []


def find_newest(place: Path, outcome: Outcome) -> None:
    """The folder that was made last has the highest number, whatever the times of its files."""
    folders = [place / ("digits" if n == 1 else f"digits-{n}") for n in range(1, 12)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / STATUS).write_text("{}")
    for times in ([0.0] * 11, [2e9 - n for n in range(11)], [5e9, *range(10)]):
        for folder, moment in zip(folders, times, strict=True):
            os.utime(folder / STATUS, (moment, moment))
        found = newest_folder(place, "digits", STATUS)
        outcome.expect(
            found == folders[-1], f"times {times[:2]} …: {found} was taken for the newest"
        )
