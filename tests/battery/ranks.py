"""Trainings on several processes: one is killed, and another number of them goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, read_bits
from tests.support.ranks import start, write_recipe

PROMISE = (
    "A training on 1, 2 or 4 processes, one of which is killed at any moment, ends on all of them, "
    "and goes on with another number of processes to the bits of one that was never killed."
)
OPTIMIZERS = ("sgd", "sam", "muon")


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Kill one process at a random moment, and go on with another number."""
    outcome = Outcome(PROMISE)
    expected = {}
    for optimizer in OPTIMIZERS[: max(1, min(trials, len(OPTIMIZERS)))]:
        recipe = write_recipe(place, optimizer)
        whole = start(1, "train", "digits", recipe, "--out", place / optimizer, place=place)
        said, _ = whole.communicate(timeout=300)
        assert whole.returncode == 0, said
        expected[recipe] = read_bits(place / optimizer)
    # One after the other: each takes all cores.
    for number in range(trials):
        draw = random.Random(f"{seed} {number}")
        recipe = list(expected)[number % len(expected)]
        with outcome.trial(f"{number} {recipe.stem}"):
            attempt(place / f"{number:03d}", recipe, expected[recipe], draw, outcome)
    return outcome


def attempt(
    folder: Path, recipe: Path, expected: dict[str, object], draw: random.Random, outcome: Outcome
) -> None:
    """One training with a kill."""
    first, second = draw.sample((1, 2, 4), 2)
    name = f"{folder.name} {recipe.stem} on {first}, then {second}"
    job = start(first, "train", "digits", recipe, "--out", folder, place=folder.parent)
    while not (folder / "status.json").exists() and job.poll() is None:
        time.sleep(0.02)
    time.sleep(draw.uniform(0, 6))
    if first > 1 and draw.random() < 0.7:
        kill_one(job.pid, draw)
        outcome.count("one process killed")
    else:
        os.killpg(job.pid, signal.SIGKILL)
        outcome.count("all killed")
    said, _ = job.communicate(timeout=120)
    again = ("--resume",) if (folder / "status.json").exists() else ()
    job = start(second, "train", "digits", recipe, "--out", folder, *again, place=folder.parent)
    said, _ = job.communicate(timeout=300)
    outcome.expect(job.returncode == 0, f"{name}: exit {job.returncode}: {said[-300:]}")
    if job.returncode == 0:
        differences = compare_bits(read_bits(folder), expected)
        outcome.expect(not differences, f"{name}: {differences[:4]}")


def kill_one(launcher: int, draw: random.Random) -> None:
    """Kill one of the processes that a launcher started, if any is there still."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    if children:
        os.kill(int(draw.choice(children)), signal.SIGKILL)
