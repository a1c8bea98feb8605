"""`kill -9` at random times and at named places in every writer, and once more while resuming."""

from __future__ import annotations

import random
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallvision.records.layout import METRICS, is_finished
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "A run, study or search killed at any moment goes on with one command, to the same bits as if "
    "it had never stopped; at most one epoch is done again, and nothing stray is left."
)


@dataclass
class Job:
    """A command that is disturbed again and again.

    Attributes:
        name: of the command.
        arguments: what starts it, but for its folder.
        again: what is added to go on.
        weight: how often it is chosen.
        option: before its folder.
        source: what lies in its folder before, if anything.
        seconds: that it takes undisturbed.
        expected: what it leaves undisturbed, as bits.
        places: that it passes and could die at, as `faults` spells them.
    """

    name: str
    arguments: tuple[str | Path, ...]
    again: tuple[str, ...] = ()
    weight: int = 1
    option: tuple[str, ...] = ("--out",)
    source: Path | None = None
    seconds: float = 0.0
    expected: dict[str, Any] | None = None
    places: tuple[str, ...] = ()

    def prepare(self, folder: Path) -> None:
        """Make its folder as it is before the job."""
        if self.source is not None:
            shutil.copytree(self.source, folder)

    def spell(self, folder: Path, *, again: bool = False) -> tuple[str | Path, ...]:
        """Its command line, the first time or again."""
        return (*self.arguments, *self.option, folder, *(self.again if again else ()))


def list_jobs(recipe: Path) -> list[Job]:
    """A run, a search and a study, each of seconds."""
    small = ("--set", "epochs=2", "--set", "compute.threads=1")
    study = ("study", "digits", "--preset", "quick", "--rungs", "mlp,vgg10", *small, "--folds", "1")
    search = ("tune", "digits", str(recipe), "--trials", "3", "--epochs", "2", "--seeds", "0")
    return [
        Job("train", ("train", "digits", str(recipe)), ("--resume",), 6),
        Job("tune", search, ("--resume",), 2),
        Job("study", study, ("--resume",), 2),
    ]


_CALM: dict[tuple[str, ...], tuple[float, dict[str, Any], tuple[str, ...]]] = {}


def run_undisturbed(job: Job, place: Path, *parts: str) -> None:
    """Run a job to its end: how long it takes, what it leaves, which places it passes.

    A job that several families disturb is run once for all of them.

    Args:
        job: the job.
        place: of the trials and their cache.
        parts: folders below it, where a trial's folder is not right there: records hold relative
            paths.
    """
    key = (job.name, *(Path(word).name for word in job.arguments), *parts)
    if job.source is not None or key not in _CALM:
        folder = place.joinpath(*parts, f"{job.name}-whole")
        job.prepare(folder)
        process = start(*job.spell(folder), fault="count", cache=place / "cache")
        began = time.perf_counter()
        code, out = finish(process)
        if code != 0:
            raise RuntimeError(f"{job.name} fails undisturbed: {out}")
        seconds, expected = time.perf_counter() - began, read_bits(folder)
        passed = next(line for line in out.splitlines() if line.startswith("passed"))
        counts = (word.split(":") for word in passed.split()[1:])
        places = tuple(f"{stage}:{n + 1}" for stage, count in counts for n in range(int(count)))
        _CALM[key] = seconds, expected, places
    job.seconds, job.expected, job.places = _CALM[key]


def prepare_jobs(jobs: list[Job], names: tuple[str, ...], place: Path) -> list[Job]:
    """The jobs of these names, or all, once each has run undisturbed."""
    chosen = [job for job in jobs if not names or job.name in names]
    for job in chosen:
        run_undisturbed(job, place)
    return chosen


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Kill jobs, a third of the time at a named place; then go on, and compare the bits."""
    outcome = Outcome(PROMISE)
    jobs = [job for job in list_jobs(write_recipe(place)) if not names or job.name in names]
    kill_all(jobs, place, trials, seed, outcome)
    return outcome


def kill_all(jobs: list[Job], place: Path, trials: int, seed: int, outcome: Outcome) -> None:
    """Kill jobs that are drawn, as many times as there are trials, and go on each time."""
    for job in jobs:
        run_undisturbed(job, place)

    def attempt(number: int) -> None:
        draw = random.Random(f"{seed} {number}")
        job = draw.choices(jobs, [job.weight for job in jobs])[0]
        fault = draw.choice(job.places) if number % 3 == 0 else ""
        folder = place / f"{number:03d}"
        with outcome.trial(f"{number} {job.name} {fault or 'by the clock'}"):
            job.prepare(folder)
            kill(job, folder, fault, draw, outcome)
            if draw.random() < 0.1:
                outcome.count("killed twice")
                kill(job, folder, "", draw, outcome)
            check(job, folder, f"trial {number}, {job.name} {fault}", outcome)

    each(trials, attempt)


def kill(job: Job, folder: Path, fault: str, draw: random.Random, outcome: Outcome) -> None:
    """Start or resume a job and kill it: where its fault says, or at a random time."""
    arguments = job.spell(folder, again=folder.exists())
    process = start(*arguments, fault=fault, cache=folder.parent / "cache")
    if not fault:
        time.sleep(draw.uniform(0.3, 1.0) * job.seconds)
        process.kill()
        outcome.count("killed by the clock")
    code, out = finish(process)
    if fault:
        outcome.count("killed at a named place")
        outcome.expect(code == -signal.SIGKILL, f"{fault} was not passed: {code} {out[-200:]}")


def check(job: Job, folder: Path, name: str, outcome: Outcome) -> None:
    """Resume to the end; compare all that is decided, and count what was done again."""
    before = {path.parent: len(path.read_bytes().splitlines()) for path in find_metrics(folder)}
    process = start(*job.spell(folder, again=True), cache=folder.parent / "cache")
    code, out = finish(process)
    outcome.expect(code == 0, f"{name}: exit {code}: {out[-300:]}")
    if code != 0:
        return
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    outcome.expect(not differences, f"{name}: {differences[:4]}")
    stray = [str(path.relative_to(folder)) for path in folder.rglob("*.tmp")]
    outcome.expect(not stray, f"{name}: stray {stray}")
    for run, epochs in before.items():
        resumed = [line for line in out.splitlines() if "going on with epoch" in line]
        if resumed and len(before) == 1:
            first = int(resumed[0].split("epoch ")[1].split()[0])
            outcome.most("epochs done again, at most", max(0, epochs + 1 - first))
            outcome.expect(first >= epochs, f"{name}: {run.name} began again at epoch {first}")


def find_metrics(folder: Path) -> list[Path]:
    """The metrics of unfinished runs."""
    return [path for path in folder.rglob(METRICS) if not is_finished(path.parent)]
