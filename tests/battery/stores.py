"""Work that is kept in a store, on machines that go away one after the other."""

from __future__ import annotations

import random
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe
from tests.support.object_store import BUCKET, explain_absence, run_store

PROMISE = (
    "Work that is kept in a store goes on there from a machine that was killed at any moment, to "
    "the same bits, with at most one epoch and one copy done again."
)
SHORT = ("--set", "compute.threads=1")


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Kill up to three machines, one after the other, and end on another one."""
    outcome, recipe = Outcome(PROMISE, untried=explain_absence()), write_recipe(place)
    if outcome.untried:
        return outcome
    epochs = ("--set", "epochs=2", *SHORT)
    jobs: dict[str, tuple[str | Path, ...]] = {
        "train": ("train", "digits", recipe, "--set", "epochs=8", *SHORT),
        "study": ("study", "digits", "--rungs", "linear,mlp,vgg10", "--folds", "1", *epochs),
        "tune": (
            "tune",
            "digits",
            "mlp",
            "--trials",
            "3",
            "--epochs",
            "1",
            "--seeds",
            "1",
            *epochs,
        ),
    }
    jobs = {name: job for name, job in jobs.items() if not names or name in names}
    with ExitStack() as stack:
        variables = stack.enter_context(run_store())
        expected = {}
        for name, job in jobs.items():
            code, said = finish(start(*job, "--out", place / name, cache=place / "cache"))
            assert code == 0, said
            expected[name] = read_kept(place / name)

        def attempt(number: int) -> None:
            draw = random.Random(f"{seed} {number}")
            name = list(jobs)[number % len(jobs)]
            folder = place / f"{number:03d}"
            url = f"s3://{BUCKET}/{number}" if number % 2 else str(folder / "store")
            options = {"cache": place / "cache", "fault": "hasty", "variables": variables}
            job = (*jobs[name], "--checkpoint-to", url)
            with outcome.trial(f"{number} {name}"):
                last = move(job, folder, draw, outcome, options)
                differences = compare_bits(read_kept(last), expected[name])
                outcome.expect(not differences, f"{number} {name}: {differences[:4]}")

        each(trials, attempt)
    return outcome


def move(
    job: tuple[str | Path, ...],
    folder: Path,
    draw: random.Random,
    outcome: Outcome,
    options: dict[str, Any],
) -> Path:
    """Work on one machine after the other; returns the folder of the last."""
    machines = draw.choice((2, 3, 4))
    for machine in range(machines):
        out = folder / f"machine-{machine}"
        # The first may have gone away before anything was kept.
        again = () if machine == 0 else ("--resume",)
        process = start(*job, *again, "--out", out, **options)
        if machine < machines - 1:
            while not (out / "mirror.json").exists() and process.poll() is None:
                time.sleep(0.02)
            time.sleep(draw.uniform(0, 2))
            process.send_signal(signal.SIGKILL)
            outcome.count("machines killed")
        code, said = finish(process)
        if machine == machines - 1:
            outcome.expect(code == 0, f"{folder.name}: exit {code}: {said[-300:]}")
            outcome.count("taken up", int("was taken up from" in said))
    return out


def read_kept(folder: Path) -> dict[str, Any]:
    """The bits of a folder, without the index of its store."""
    return {name: bits for name, bits in read_bits(folder).items() if name != "mirror.json"}
