"""Losses and gradients that are NaN or infinite, and memory that runs out."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.data.loading.load import as_dataset, from_arrays
from smallvision.data.split import make_split
from smallvision.errors import DataError, FailedRunError
from smallvision.recipes import parse_recipe
from smallvision.records.layout import read_status
from smallvision.records.schema import UnfinishedRun, ValidatedRun
from smallvision.records.weights import check_manifest
from smallvision.runs.job import Job
from smallvision.runs.train import run_recipe
from tests.battery.outcome import Outcome
from tests.battery.work import RECIPE, compare_bits, read_bits
from tests.support.faults import inject
from tests.support.runs import read_metrics

PROMISE = (
    "A NaN or infinite loss or gradient is found at its step and named with the learning rate and "
    "the last good checkpoint; a run can skip it or roll back. When memory runs out, the "
    "micro-batch is halved, and the run goes on."
)
STEPS = 4  # an epoch of the battery's recipe on digits
OPTIMIZERS = ({"name": "sgd"}, {"name": "sam"}, {"name": "muon"})


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Inject faults at random steps under each policy, and let memory run out."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    tests = (stop, skip, roll_back, run_out, run_out_for_good)
    for number in range(trials):
        test = tests[number % len(tests)]
        with outcome.trial(f"{number} {test.__name__}"):
            test(place / str(number), draw, outcome)
    with outcome.trial("NaN and infinite pixels"):
        refuse_pixels(outcome)
    return outcome


def train(folder: Path, **changes: Any) -> ValidatedRun:
    """The battery's recipe on digits, changed."""
    recipe = parse_recipe({**tomllib.loads(RECIPE), **changes})
    dataset = as_dataset("digits", None)
    return run_recipe(recipe, Job(dataset, make_split(dataset.train), folder))


def stop(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """By default a run ends at the step, with its last checkpoint whole."""
    at, kind = draw.randint(1, 3 * STEPS), draw.choice(("loss", "infinite loss", "gradient"))
    with inject({at}, kind) as injector:
        try:
            train(folder, optimizer=draw.choice(OPTIMIZERS))
        except FailedRunError as error:
            said = str(error)
        else:
            raise AssertionError(f"{kind} at {at} went by")
    late = injector.updates - at
    outcome.most("steps until it was found, at most", late)
    outcome.expect(late <= 1, f"{kind} at {at}: found {late} steps later")
    step, epoch = (injector.updates - 1) % STEPS + 1, (injector.updates - 1) // STEPS + 1
    # A NaN gradient at the last step of an epoch shows when the epoch is measured.
    places = (f"step {step} ", "the last step ") if step == STEPS else (f"step {step} ",)
    named = f"of epoch {epoch} (learning rate" in said and any(p in said for p in places)
    outcome.expect(bool(named), f"{kind} at {at}: {said}")
    good = (at - 1) // STEPS
    outcome.expect(("no checkpoint" if not good else f"checkpoint {good} is") in said, said)
    if good:
        check_manifest(folder / "checkpoints" / f"{good:03d}")
    status = read_status(folder)
    failed = isinstance(status, UnfinishedRun) and status.status == "failed"
    outcome.expect(failed, f"{kind} at {at}: not failed but {status!r}")


def skip(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """With `skip`, such steps are left out and counted."""
    at = set(draw.sample(range(1, 4 * STEPS), 3))
    with inject(at, draw.choice(("loss", "gradient"))):
        status = train(folder, nonfinite="skip", optimizer=draw.choice(OPTIMIZERS))
    skipped = sum(epoch.skipped for epoch in read_metrics(folder))
    outcome.expect(skipped == len(at), f"{sorted(at)}: {skipped} steps were skipped")
    outcome.expect(read_status(folder) == status, f"skip at {sorted(at)}: not finished")


def roll_back(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """With `roll-back`, the run goes on from its last checkpoint at half the learning rate."""
    at = draw.randint(1, 4 * STEPS)
    with inject({at}, "loss"):
        status = train(folder, nonfinite="roll-back")
    outcome.expect(status.slowdown == 0.5, f"roll back at {at}: {status.slowdown}")
    outcome.expect(read_status(folder) == status, f"roll back at {at}: not finished")
    rates = [epoch.lr for epoch in read_metrics(folder)]
    whole = (at - 1) // STEPS
    outcome.expect(len(rates) == 4 and rates[whole] < 0.1, f"roll back at {at}: rates {rates}")


def run_out(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """Memory runs out once: what follows has the bits of a run with half the micro-batch."""
    at = draw.randint(1, STEPS)
    with inject({at}, "memory"):
        status = train(folder)
    train(folder.with_name(f"{folder.name} in parts"), micro_batch=128)
    other = folder.with_name(f"{folder.name} in parts")
    outcome.expect(status.micro_batch == 128, f"a micro-batch of {status.micro_batch}")
    tensors = {k: v for k, v in read_bits(folder).items() if k.endswith(".safetensors")}
    alike = {k: v for k, v in read_bits(other).items() if k.endswith(".safetensors")}
    outcome.expect(not compare_bits(tensors, alike), f"memory at {at}: other bits than in parts")


def run_out_for_good(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """Memory runs out whatever the micro-batch is: one line, and the run has failed."""
    with inject(set(range(draw.randint(1, STEPS), 1000)), "memory"):
        try:
            train(folder)
        except FailedRunError as error:
            outcome.expect("ran out of memory" in str(error), str(error))
        else:
            raise AssertionError("a run without memory was finished")


def refuse_pixels(outcome: Outcome) -> None:
    """NaN and infinite pixels never reach a network."""
    images = np.random.default_rng(0).random((20, 8, 8))
    for value in (np.nan, np.inf):
        images[3, 2, 1] = value
        try:
            from_arrays(images, np.arange(20) % 2)
        except DataError as error:
            outcome.expect("\n" not in str(error), str(error))
        else:
            outcome.failures.append(f"pixels of {value} were accepted")
