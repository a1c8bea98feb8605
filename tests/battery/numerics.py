"""Losses and gradients that are no numbers, and memory that runs out."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from smallvision.data.loading.load import as_dataset, from_arrays
from smallvision.data.split import make_split
from smallvision.errors import DataError, FailedRunError
from smallvision.recipes import parse_recipe
from smallvision.records.files import read_json, read_jsonl
from smallvision.records.weights import check_manifest
from smallvision.runs.train import run_recipe
from smallvision.training import loop
from tests.battery.outcome import Outcome
from tests.battery.work import RECIPE, compare_bits, read_bits

PROMISE = (
    "A loss or gradient that is no number is found at its step and named with the learning rate "
    "and the last good checkpoint; a run can skip it or roll back. When memory runs out, a batch "
    "is made in smaller parts, and the run goes on."
)
STEPS = 4  # an epoch of the battery's recipe on digits
OPTIMIZERS = ({"name": "sgd"}, {"name": "sam"}, {"name": "muon"})


class Spoiler:
    """Spoils the loss or the gradient at chosen updates of a run, or lets memory run out."""

    def __init__(self, at: set[int], kind: str) -> None:
        self.at, self.kind, self.updates = at, kind, 0

    def wrap(self, update: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """An update that may be spoiled."""

        def spoiled(forward: Any, *arguments: Any) -> Tensor:
            self.updates += 1
            if self.updates not in self.at:
                return update(forward, *arguments)
            if self.kind == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory")
            return update(self.spoil(forward), *arguments)

        return spoiled

    def spoil(self, forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
        """A network whose output or gradient is not a number."""

        def spoiled(x: Tensor) -> Tensor:
            logits = forward(x)
            if self.kind == "loss":
                return logits * float("nan")
            if self.kind == "infinite loss":
                return logits * float("inf")
            logits.register_hook(lambda gradient: gradient * float("nan"))
            return logits

        return spoiled


@contextmanager
def spoil(at: set[int], kind: str) -> Iterator[Spoiler]:
    """Let a run meet what no number is."""
    spoiler, update = Spoiler(at, kind), loop.update
    loop.update = spoiler.wrap(update)
    try:
        yield spoiler
    finally:
        loop.update = update


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Spoil runs at random steps under each policy, and let memory run out."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    tests = (stop, skip, roll_back, run_out, run_out_for_good)
    for number in range(trials):
        test = tests[number % len(tests)]
        with outcome.trial(f"{number} {test.__name__}"):
            test(place / str(number), draw, outcome)
    with outcome.trial("pixels that are no numbers"):
        refuse_pixels(outcome)
    return outcome


def train(folder: Path, **changes: Any) -> dict[str, Any]:
    """The battery's recipe on digits, changed."""
    recipe = parse_recipe({**tomllib.loads(RECIPE), **changes})
    dataset = as_dataset("digits", None)
    return run_recipe(recipe, dataset, make_split(dataset.train), folder)


def stop(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """By default a run ends at the step, with its last checkpoint whole."""
    at, kind = draw.randint(1, 3 * STEPS), draw.choice(("loss", "infinite loss", "gradient"))
    with spoil({at}, kind) as spoiler:
        try:
            train(folder, optimizer=draw.choice(OPTIMIZERS))
        except FailedRunError as error:
            said = str(error)
        else:
            raise AssertionError(f"{kind} at {at} went by")
    late = spoiler.updates - at
    outcome.most("steps until it was found, at most", late)
    outcome.expect(late <= 1, f"{kind} at {at}: found {late} steps later")
    step, epoch = (spoiler.updates - 1) % STEPS + 1, (spoiler.updates - 1) // STEPS + 1
    # A gradient that spoils the last step of an epoch shows when the epoch is measured.
    places = (f"step {step} ", "the last step ") if step == STEPS else (f"step {step} ",)
    named = f"of epoch {epoch} (learning rate" in said and any(p in said for p in places)
    outcome.expect(bool(named), f"{kind} at {at}: {said}")
    good = (at - 1) // STEPS
    outcome.expect(("no checkpoint" if not good else f"checkpoint {good} is") in said, said)
    if good:
        check_manifest(folder / "checkpoints" / f"{good:03d}")
    outcome.expect(read_json(folder / "status.json")["status"] == "failed", "not failed")


def skip(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """With `skip`, such steps are left out and counted."""
    at = set(draw.sample(range(1, 4 * STEPS), 3))
    with spoil(at, draw.choice(("loss", "gradient"))):
        status = train(folder, nonfinite="skip", optimizer=draw.choice(OPTIMIZERS))
    skipped = sum(line["skipped"] for line in read_jsonl(folder / "metrics.jsonl"))
    outcome.expect(skipped == len(at), f"{sorted(at)}: {skipped} steps were skipped")
    outcome.expect(status["status"] == "done", f"skip at {sorted(at)}: {status['error']}")


def roll_back(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """With `roll-back`, the run goes on from its last checkpoint at half the learning rate."""
    at = draw.randint(1, 4 * STEPS)
    with spoil({at}, "loss"):
        status = train(folder, nonfinite="roll-back")
    outcome.expect(status["slowdown"] == 0.5, f"roll back at {at}: {status.get('slowdown')}")
    outcome.expect(status["status"] == "done", f"roll back at {at}: {status['error']}")
    rates = [line["lr"] for line in read_jsonl(folder / "metrics.jsonl")]
    whole = (at - 1) // STEPS
    outcome.expect(len(rates) == 4 and rates[whole] < 0.1, f"roll back at {at}: rates {rates}")


def run_out(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """Memory runs out once: what follows has the bits of a run with parts of half the size."""
    at = draw.randint(1, STEPS)
    with spoil({at}, "memory"):
        status = train(folder)
    train(folder.with_name(f"{folder.name} in parts"), micro_batch=128)
    other = folder.with_name(f"{folder.name} in parts")
    outcome.expect(status["micro_batch"] == 128, f"parts of {status.get('micro_batch')}")
    tensors = {k: v for k, v in read_bits(folder).items() if k.endswith(".safetensors")}
    alike = {k: v for k, v in read_bits(other).items() if k.endswith(".safetensors")}
    outcome.expect(not compare_bits(tensors, alike), f"memory at {at}: other bits than in parts")


def run_out_for_good(folder: Path, draw: random.Random, outcome: Outcome) -> None:
    """Memory runs out however small the parts are: one line, and the run has failed."""
    with spoil(set(range(draw.randint(1, STEPS), 1000)), "memory"):
        try:
            train(folder)
        except FailedRunError as error:
            outcome.expect("ran out of memory" in str(error), str(error))
        else:
            raise AssertionError("a run without memory was finished")


def refuse_pixels(outcome: Outcome) -> None:
    """Pixels that are no numbers never reach a network."""
    images = np.random.default_rng(0).random((20, 8, 8))
    for value in (np.nan, np.inf):
        images[3, 2, 1] = value
        try:
            from_arrays(images, np.arange(20) % 2)
        except DataError as error:
            outcome.expect("\n" not in str(error), str(error))
        else:
            outcome.failures.append(f"pixels of {value} were accepted")
