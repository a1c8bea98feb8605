"""A run folder that is copied while it trains, by a person or a backup that knows of no lock."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

from tests.battery.kills import Job, prepare_jobs
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "A run or a study that is copied file by file while it trains goes on undisturbed; the copy "
    "claims nobody, and goes on to the same bits or is refused in one line; so do two copies at "
    "once. The copy of a finished one reads the same."
)


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Copy folders at random moments and speeds, and go on with the copies meanwhile."""
    outcome, recipe = Outcome(PROMISE), write_recipe(place)
    small = ("--set", "epochs=2", "--set", "compute.threads=1")
    study = ("study", "digits", "--preset", "quick", "--rungs", "mlp,vgg10", *small, "--folds", "1")
    jobs = [
        Job("train", ("train", "digits", recipe, "--set", "epochs=12"), ("--resume",)),
        Job("study", study, ("--resume",)),
    ]
    jobs = prepare_jobs(jobs, (), place)

    def attempt(number: int) -> None:
        draw, job = random.Random(f"{seed} {number}"), jobs[number % len(jobs)]
        name = f"{number} {job.name}"
        with outcome.trial(name):
            disturb(job, place / f"{number:03d}", draw, outcome, name)

    each(trials, attempt)
    return outcome


def disturb(job: Job, folder: Path, draw: random.Random, outcome: Outcome, name: str) -> None:
    """Copy a job's folder twice while it works, go on with both copies, and compare all three."""
    cache = folder.parent / "cache"
    process = start(*job.spell(folder), cache=cache)
    while not (folder / ".lock").exists() and process.poll() is None:
        time.sleep(0.02)
    time.sleep(draw.uniform(0.0, 0.7) * job.seconds)
    copies = [folder.with_name(f"{folder.name}-{letter}") for letter in "ab"]
    for copy in copies:
        copy_slowly(folder, copy, draw, 0.15 * job.seconds)
    others = [start(*job.spell(copy, again=is_begun(copy)), cache=cache) for copy in copies]
    code, said = finish(process)
    outcome.expect(code == 0, f"{name}: exit {code} while it was copied: {said[-300:]}")
    assert job.expected is not None
    differences = compare_bits(read_bits(folder), job.expected)
    outcome.expect(not differences, f"{name}: disturbed by a copy: {differences[:4]}")
    for copy, other in zip(copies, others, strict=True):
        code, said = finish(other)
        if code == 2:
            outcome.expect("error: " in said and "Traceback" not in said, f"{name}: {said[-300:]}")
            outcome.expect("is at work" not in said, f"{name}: a copied lock claims {said[-300:]}")
            outcome.count("copies refused")
            continue
        outcome.expect(code == 0, f"{name}: the copy went on with {code}: {said[-300:]}")
        outcome.count("copies that went on")
        differences = compare_bits(drop_notes(read_bits(copy)), drop_notes(job.expected))
        outcome.expect(not differences, f"{name}: the copy: {differences[:4]}")
    finished = folder.with_name(f"{folder.name}-c")
    shutil.copytree(folder, finished)
    outcome.expect(read_bits(finished) == read_bits(folder), f"{name}: a finished copy differs")


def is_begun(folder: Path) -> bool:
    """Whether a folder holds more than a lock."""
    return folder.exists() and any(path.name != ".lock" for path in folder.iterdir())


def copy_slowly(source: Path, target: Path, draw: random.Random, seconds: float) -> None:
    """Copy as `cp -r` does: file by file, in no order that is known; what vanishes is left out."""
    files = [path for path in source.rglob("*") if path.is_file()]
    draw.shuffle(files)
    for path in files:
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, place)
        except FileNotFoundError:
            continue
        time.sleep(seconds / len(files))


def drop_notes(bits: dict[str, Any]) -> dict[str, Any]:
    """Bits without what a copy says of checkpoints that it passed over."""

    def drop(record: Any) -> Any:
        if isinstance(record, dict):
            return {key: drop(value) for key, value in record.items() if key != "notes"}
        return [drop(value) for value in record] if isinstance(record, list) else record

    return {name: drop(record) for name, record in bits.items()}
