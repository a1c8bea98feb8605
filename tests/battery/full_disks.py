"""Disks that are really full, out of inodes or read-only, before a job or while it runs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from smallvision.api import train
from smallvision.records.files import hash_file
from tests.battery import mounts
from tests.battery.kills import Job, run_undisturbed
from tests.battery.outcome import Outcome
from tests.battery.work import (
    ROOT,
    compare_bits,
    each,
    finish,
    read_bits,
    start,
    write_recipe,
)

PROMISE = (
    "On a small file system that is really full, out of inodes or read-only, from the start or in "
    "mid-job, a command says so in one line, with 2; what was there before is untouched, and with "
    "room again the same command comes to the same bits."
)
SAYINGS = ("No space left on device", "Read-only file system", "disk is full", "readonly database")
SAYINGS += ("unable to open database", "disk I/O error")  # how SQLite puts it
GOLD = ROOT / "tests" / "gold" / "folders" / "run"
Expect = Callable[[bool, str], None]
SHORT = {"bytes": "out of bytes", "inodes": "out of inodes", "read-only": "read-only"}
KINDS = tuple(SHORT)


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Let a disk fail at a random moment, each kind of failure in turn; then mend it, and go on."""
    outcome = Outcome(PROMISE, untried=mounts.why_not())
    trials = 0 if outcome.untried else trials
    jobs = [job for job in list_jobs(place, names) if not names or job.name in names]
    for job in jobs if trials else ():
        run_undisturbed(job, place, "calm")

    def attempt(number: int) -> None:
        turn, which = divmod(number, len(jobs))
        draw, job = random.Random(f"{seed} {number}"), jobs[which]
        kind = KINDS[(turn + which) % len(KINDS)]
        name = f"{number} {job.name}, {kind}"
        disk = place / f"disk-{number:03d}"
        disk.mkdir()
        with outcome.trial(name), mounts.mount(disk):
            failed = disturb(job, disk, kind, draw, partial(complain, outcome, name))
            outcome.count(SHORT[kind] if failed else "had room enough, or was done before")

    each(trials, attempt)
    return outcome


def complain(outcome: Outcome, name: str, fact: bool, complaint: str) -> None:
    """Note a failure of a trial unless a fact holds."""
    outcome.expect(fact, f"{name}: {complaint}")


def list_jobs(place: Path, names: tuple[str, ...] = ()) -> list[Job]:
    """All that writes, each on the disk; the data set of one is decoded into a cache there."""
    recipe, made = write_recipe(place), place / "made"
    if names != ("report",):
        train("digits", recipe, out=made / "run")
        write_pictures(made / "pictures")
    small = ("--set", "epochs=2", "--set", "compute.threads=1")
    search = ("tune", "digits", recipe, "--trials", "2", "--epochs", "2", "--seeds", "0")
    return [
        Job("train", ("train", "digits", recipe), ("--resume",)),
        Job("study", ("study", "digits", "--rungs", "mlp", "--folds", "1", *small), ("--resume",)),
        Job("tune", search, ("--resume",)),
        Job("ensemble", ("ensemble", made / "run", "--members", "2")),
        Job("evaluate", ("evaluate",), option=(), source=made / "run"),
        Job("explain", ("explain",), option=(), source=made / "run"),
        Job("report", ("report",), option=(), source=GOLD),
        Job("explore", ("explore", "digits", "--no-page")),
        Job("cache", ("explore", made / "pictures", "--no-page")),
    ]


def write_pictures(folder: Path) -> None:
    """A data set of image files, which is decoded into the cache."""
    draw = np.random.default_rng(0)
    for part, count in (("train", 60), ("test", 10)):
        for name in ("dark", "light"):
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = draw.integers(0, 256, (16, 16, 3), np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{number}.png")


def disturb(job: Job, disk: Path, kind: str, draw: random.Random, expect: Expect) -> bool:
    """Run a job on a disk that fails, then on one that works, and compare what comes of it.

    Returns: whether the job failed on it.
    """
    folder, cache = disk / "out", disk / "cache"
    job.prepare(folder)
    before = hash_all(folder)
    moment = draw.uniform(0.3, 1.0) * job.seconds if draw.random() < 0.6 else None
    process = start(*job.spell(folder), cache=cache) if moment else None
    time.sleep(moment or 0)
    with fail(disk, kind, draw):
        code, said = finish(process or start(*job.spell(folder), cache=cache))
    failed = bool(code)
    expect("Traceback" not in said, f"traceback: {said[-400:]}")
    if code:
        answered = "error: " in said and any(word in said for word in SAYINGS)
        expect(code == 2 and answered, f"exit {code}, said {said[-300:]}")
        after = hash_all(folder)
        lost = [name for name, known in before.items() if after.get(name) != known]
        expect(not lost, f"lost {lost}")
    again = bool(code) and any(path.name != ".lock" for path in folder.rglob("*"))
    if code:
        code, said = finish(start(*job.spell(folder, again=again), cache=cache))
    expect(code == 0, f"went on with {code}: {said[-300:]}")
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    expect(not differences, f"{differences[:4]}")
    stray = [str(path.relative_to(disk)) for path in disk.rglob("*.tmp")]
    expect(not stray, f"stray {stray}")
    return failed


@contextmanager
def fail(disk: Path, kind: str, draw: random.Random) -> Iterator[None]:
    """Let a disk be read-only, or have little room, meanwhile."""
    if kind == "read-only":
        with mounts.read_only(disk):
            yield
        return
    room = draw.choice((0, draw.randrange(20), draw.randrange(400)))
    is_size = kind == "bytes"
    filler = mounts.fill(
        disk,
        spare_bytes=room * 1024 if is_size else None,
        spare_inodes=None if is_size else room // 8,
    )
    try:
        yield
    finally:
        shutil.rmtree(filler)


def hash_all(folder: Path) -> dict[str, str]:
    """The sums of all files of a folder, by name, but that of its lock."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): hash_file(path) for path in files}
